/** Made-up origins and what an accelerator says about them, and the lines that mean it. */
import fc from 'fast-check';
import { formatHostPort } from '../../src/config/endpoint.ts';
import type { OriginAddress, OriginSettings } from '../../src/config/shape.ts';

const seconds = (min: number, max = 3600) => fc.integer({ min, max }).map((count) => count * 1000);
const status = fc.integer({ min: 200, max: 599 });
const range = fc
  .tuple(status, status)
  .map(([one, other]): readonly [number, number] => [Math.min(one, other), Math.max(one, other)]);

const check = fc.record(
  {
    path: fc.constantFrom('/', '/healthz?deep=1'),
    intervalMs: seconds(1),
    timeoutMs: seconds(1),
    host: fc.constantFrom('', 'www.example.com', 'a:81', '[::1]'),
    statuses: fc.array(range, { minLength: 1, maxLength: 3 }),
    rise: fc.integer({ min: 1, max: 100 }),
    fall: fc.integer({ min: 1, max: 100 }),
  },
  { noNullPrototype: true },
);

/** Without files. */
export const originModel: fc.Arbitrary<OriginSettings> = fc.record(
  {
    balance: fc.constantFrom('roundrobin', 'leastconn'),
    failuresMax: fc.integer({ min: 0, max: 1000 }),
    downMs: seconds(1),
    counts5xx: fc.boolean(),
    slowStartMs: seconds(0),
    check: fc.option(check, { nil: undefined }),
    tls: fc.record(
      {
        verify: fc.boolean(),
        serverName: fc.constantFrom('', 'www.example.com'),
        ca: fc.constant(undefined),
        certificate: fc.constant(undefined),
        key: fc.constant(undefined),
      },
      { noNullPrototype: true },
    ),
    resolveMs: seconds(1, 86_400),
  },
  { noNullPrototype: true },
);

/** One part of the list of origins. */
export function renderOrigin(address: OriginAddress): string {
  if (address.kind !== 'url') return address.kind;
  const { protocol, weight, isBackup, connectionsMax } = address;
  return [
    `${protocol}://${formatHostPort(address)}`,
    ...(isBackup ? ['backup'] : []),
    ...(weight === 1 ? [] : [`Weight=${weight}`]),
    ...(connectionsMax === undefined ? [] : [`maxconn=${connectionsMax}`]),
  ].join('  ');
}

export function renderOriginSettings(settings: OriginSettings): string[] {
  const { tls } = settings;
  return [
    `Balance=${settings.balance}`,
    `MaxFails=${settings.failuresMax}`,
    `FailTimeout=${settings.downMs / 1000}`,
    `FailOn5xx=${settings.counts5xx ? 1 : 0}`,
    `SlowStart=${settings.slowStartMs / 1000}`,
    ...(settings.check === undefined ? ['HealthPath='] : renderCheck(settings.check)),
    `OriginVerify=${tls.verify ? 1 : 0}`,
    `OriginServerName=${tls.serverName}`,
    `OriginResolve=${settings.resolveMs / 1000}`,
  ];
}

function renderCheck(settings: NonNullable<OriginSettings['check']>): string[] {
  const { path, host, rise, fall, intervalMs, timeoutMs, statuses } = settings;
  return [
    `HealthPath=${path}`,
    `HealthInterval=${intervalMs / 1000}`,
    `HealthTimeout=${timeoutMs / 1000}`,
    `HealthHost=${host}`,
    `HealthStatus=${statuses.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')}`,
    `HealthRise=${rise}`,
    `HealthFall=${fall}`,
  ];
}
