/** The settings of one worker: bounds that are the machine's are divided among the workers. Pure. */
import type { AcceleratorSettings, Settings } from '../config/shape.ts';

/** The settings of each worker; every bound is rounded up, so that none becomes 0. */
export function settingsOfWorker(settings: Settings): Settings {
  const { workers } = settings.fleet;
  const share = (bound: number) => Math.ceil(bound / workers);
  const { limits, cache, tracing } = settings;
  const bytesMax = share(cache.bytesMax);
  return {
    ...settings,
    accelerators: settings.accelerators.map((each) => ofWorker(each, share)),
    cache: {
      ...cache,
      bytesMax,
      answersMax: share(cache.answersMax),
      answerBytesMax: Math.min(cache.answerBytesMax, bytesMax),
    },
    tracing: {
      ...tracing,
      perSecondMax: share(tracing.perSecondMax),
      queueMax: share(tracing.queueMax),
    },
    limits: {
      ...limits,
      connectionsMax: share(limits.connectionsMax),
      tlsHandshakesMax: share(limits.tlsHandshakesMax),
      originConnectionsMax: share(limits.originConnectionsMax),
      originQueueMax: share(limits.originQueueMax),
      distributionBytesMax: share(limits.distributionBytesMax),
      logBacklogBytesMax: share(limits.logBacklogBytesMax),
      dynamicOriginsMax: share(limits.dynamicOriginsMax),
      nameLookupsMax: share(limits.nameLookupsMax),
    },
  };
}

function ofWorker(
  accelerator: AcceleratorSettings,
  share: (bound: number) => number,
): AcceleratorSettings {
  const origins = accelerator.origins.map((origin) =>
    origin.kind === 'url' && origin.connectionsMax !== undefined
      ? { ...origin, connectionsMax: share(origin.connectionsMax) }
      : origin,
  );
  return { ...accelerator, origins };
}
