/** What the throttle costs a connection to a known host, in process. Nothing else of the gateway. */
import { systemClock } from '../../../src/clock.ts';
import { parameterRanges } from '../../../src/config/throttle-parameters.ts';
import { ThrottledSources } from '../../../src/throttle/sources.ts';
import { Throttle, type ThrottleSettings } from '../../../src/throttle/throttle.ts';
import { median } from '../proxies/figures.ts';

const roundCount = 9;
const admitCount = 1_000_000;

/** HP's defaults. */
export const usualSettings: ThrottleSettings = {
  workingSetSize: parameterRanges.host_working_set_size.default,
  delayMs: parameterRanges.delay_queue_delay_seconds.default * 1_000,
  queueSize: parameterRanges.delay_queue_size.default,
  highWaterMark: parameterRanges.delay_queue_high_watermark.default,
  lowWaterMark: parameterRanges.delay_queue_low_watermark.default,
};

export interface Cost {
  readonly name: string;
  readonly ns: number;
}

/** One thing to measure: a round admits `admitCount` connections and gives how many passed. */
interface Work {
  readonly name: string;
  readonly round: () => number;
}

function throttleWork(): Work {
  const throttle = new Throttle<number>({ settings: usualSettings, onEvent: () => {} });
  const hosts = Array.from({ length: 5 }, (_, host) => `192.0.2.${host + 1}`);
  for (const [index, host] of hosts.entries()) throttle.admit(host, index, index * 1_000);
  return {
    name: 'Throttle.admit, five known hosts in turn',
    round() {
      let passed = 0;
      for (let turn = 0; turn < admitCount; turn += 1) {
        const host = hosts[turn % hosts.length] as string;
        if (throttle.admit(host, turn, 10_000) === 'passed') passed += 1;
      }
      return passed;
    },
  };
}

function sourcesWork(sourceCount: number): Work {
  const throttles = new ThrottledSources({
    clock: systemClock,
    onFull: () => {},
    isOn: () => true,
    isOrigin: () => false,
    settings: () => usualSettings,
    blockMs: () => undefined,
    sourcesMax: () => sourceCount,
    onEvent: () => {},
  });
  const names = Array.from({ length: sourceCount }, (_, index) => {
    return `10.0.${index >> 8}.${index & 255}`;
  });
  const turn = { go: () => {}, refuse: () => {} };
  // The first new host of each passes at once, and is known from then on.
  for (const name of names) throttles.admit(name, '192.0.2.1', turn);
  const count = sourceCount.toLocaleString('en');
  return {
    name: `ThrottledSources.admit, ${sourceCount === 1 ? 'one source' : `${count} sources in turn`}`,
    round() {
      let passed = 0;
      for (let at = 0; at < admitCount; at += 1) {
        const name = names[at % sourceCount] as string;
        if (throttles.admit(name, '192.0.2.1', turn) === 'passed') passed += 1;
      }
      return passed;
    },
  };
}

/** Medians of rounds that take turns. */
export function measureCost(): Cost[] {
  const works = [throttleWork(), sourcesWork(1), sourcesWork(1_000)];
  const times = new Map<string, number[]>(works.map(({ name }) => [name, []]));
  for (let round = 0; round <= roundCount; round += 1) {
    for (const { name, round: work } of works) {
      const begin = performance.now();
      const passed = work();
      const ns = ((performance.now() - begin) * 1e6) / admitCount;
      if (passed !== admitCount) throw new Error(`${name}: only ${passed} passed`);
      // The first round only warms the compiler up.
      if (round > 0) times.get(name)?.push(ns);
    }
  }
  return Array.from(times, ([name, values]) => ({ name, ns: median(values) }));
}
