/** Made-up settings of `[Events]`, and the lines that mean them. */
import fc from 'fast-check';
import { eventKinds } from '../../src/config/event-rows.ts';
import { quote } from '../../src/config/quoted.ts';
import type { EventSettings } from '../../src/config/shape.ts';

const model = { noNullPrototype: true };
const count = (max: number, min = 1) => fc.integer({ min, max });

export const eventModel: fc.Arbitrary<EventSettings> = fc
  .record(
    {
      logFile: fc.constantFrom('', 'events.jsonl', '/var/log/events'),
      kinds: fc.uniqueArray(fc.constantFrom(...eventKinds), { minLength: 1 }),
      perSecondMax: count(100_000),
      webhook: fc.record(
        {
          url: fc.constantFrom('', 'http://127.0.0.1:9/a?b=c', 'https://[::1]/'),
          token: fc.stringMatching(/^[\x21-\x7e]{0,20}$/),
          timeoutMs: count(3600).map((seconds) => seconds * 1000),
          retriesMax: count(1000, 0),
          queueMax: count(100_000),
          batchMax: count(1000),
        },
        model,
      ),
    },
    model,
  )
  .map(({ webhook, ...rest }) => ({
    ...rest,
    webhook: { ...webhook, token: webhook.url === '' ? '' : webhook.token },
  }));

/** The section's lines. */
export function renderEvents({ logFile, kinds, perSecondMax, webhook }: EventSettings): string[] {
  return [
    `EventLog=${logFile}`,
    `EventKinds=${kinds.join(', ')}`,
    `EventsPerSecond=${perSecondMax}`,
    `Webhook=${webhook.url}`,
    `WebhookToken=${webhook.token === '' ? '' : quote(webhook.token)}`,
    `WebhookTimeout=${webhook.timeoutMs / 1000}`,
    `WebhookRetries=${webhook.retriesMax}`,
    `MaxWebhookQueue=${webhook.queueMax}`,
    `WebhookBatch=${webhook.batchMax}`,
  ];
}
