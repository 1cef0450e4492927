/** Made-up settings of `[Fleet]`, and the lines that mean them. */
import fc from 'fast-check';
import { quote } from '../../src/config/quoted.ts';
import type { FleetSettings } from '../../src/config/shape.ts';

const model = { noNullPrototype: true };
const count = (max: number, min = 1) => fc.integer({ min, max });

export const fleetModel: fc.Arbitrary<FleetSettings> = fc
  .record(
    {
      workers: count(256),
      workerTimeoutMs: count(300).map((seconds) => seconds * 1000),
      engine: fc.option(
        fc.record(
          {
            isTls: fc.boolean(),
            host: fc.constantFrom('127.0.0.1', 'valkey.example.com', '::1'),
            port: count(65_535),
            database: count(15, 0),
          },
          model,
        ),
        { nil: undefined },
      ),
      user: fc.stringMatching(/^[\x21-\x7e]{0,20}$/),
      password: fc.stringMatching(/^[\x20-\x7e]{0,20}$/),
      ca: fc.constant(undefined),
      keyPrefix: fc.constantFrom('wormgate', 'a:b-c_d.e'),
      nodeName: fc.constantFrom('proxy-1', 'B.x_9'),
      outboxMax: count(1_000_000),
      talliesMax: count(10_000, 0),
      snapshotEvery: count(1_000_000, 100),
      timeoutMs: count(300).map((seconds) => seconds * 1000),
    },
    model,
  )
  .map((each) => (each.engine === undefined ? { ...each, user: '', password: '' } : each));

function urlOf({ engine }: FleetSettings): string {
  if (engine === undefined) return '';
  const { isTls, host, port, database } = engine;
  const written = host.includes(':') ? `[${host}]` : host;
  return `${isTls ? 'rediss' : 'redis'}://${written}:${port}/${database}`;
}

/** The section's lines. */
export function renderFleet(settings: FleetSettings): string[] {
  const quoted = (text: string) => (text === '' ? '' : quote(text));
  return [
    `Workers=${settings.workers}`,
    `WorkerTimeout=${settings.workerTimeoutMs / 1000}`,
    `Url=${urlOf(settings)}`,
    `User=${quoted(settings.user)}`,
    `Password=${quoted(settings.password)}`,
    `KeyPrefix=${settings.keyPrefix}`,
    `NodeName=${settings.nodeName}`,
    `MaxOutbox=${settings.outboxMax}`,
    `MaxTallies=${settings.talliesMax}`,
    `SnapshotEvery=${settings.snapshotEvery}`,
    `EngineTimeout=${settings.timeoutMs / 1000}`,
  ];
}
