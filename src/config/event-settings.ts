/** The values of `[Events]`, with the checks that need several keys, or the names of the other logs. */
import { normalize } from 'node:path/posix';
import type { eventsSection } from './event-rows.ts';
import type { SectionReader } from './section-reader.ts';
import type { EventSettings, LogSettings } from './shape.ts';
import type { SectionTable } from './table.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;
type EventsReader = SectionReader<ValuesOf<typeof eventsSection>>;

const secondMs = 1000;

/** The settings of `[Events]`. */
export function readEventSettings(reader: EventsReader, log: LogSettings): EventSettings {
  const logFile = reader.get('EventLog');
  const kinds = reader.get('EventKinds');
  const url = reader.get('Webhook');
  const token = reader.get('WebhookToken');
  if (logFile !== '' && namesOf(log).includes(normalize(logFile))) {
    reader.report(reader.lineOf('EventLog'), 'EventLog', 'another log has that file');
  }
  if (kinds.length === 0 && !reader.isBad('EventKinds')) {
    reader.report(reader.lineOf('EventKinds'), 'EventKinds', 'at least one kind is needed');
  }
  if (token !== '' && url === '' && !reader.isBad('Webhook')) {
    reader.report(
      reader.lineOf('WebhookToken'),
      'WebhookToken',
      'it has no effect without Webhook',
    );
  }
  return {
    logFile,
    kinds,
    perSecondMax: reader.get('EventsPerSecond'),
    webhook: {
      url,
      token,
      timeoutMs: reader.get('WebhookTimeout') * secondMs,
      retriesMax: reader.get('WebhookRetries'),
      queueMax: reader.get('MaxWebhookQueue'),
      batchMax: reader.get('WebhookBatch'),
    },
  };
}

function namesOf({ proxyLog, consoleLog, throttleLog }: LogSettings): string[] {
  return [proxyLog, consoleLog, throttleLog].map(normalize);
}
