/** Made-up settings of `[SNMP]`, and the lines that mean them. */
import fc from 'fast-check';
import { formatHostPort } from '../../src/config/endpoint.ts';
import { quote } from '../../src/config/quoted.ts';
import type { SnmpSender, SnmpSettings } from '../../src/config/shape.ts';

const key = fc.stringMatching(/^[\x20-\x7e]{8,20}$/);
const auth = fc.record(
  {
    protocol: fc.constantFrom('sha', 'sha224', 'sha256', 'sha384', 'sha512'),
    key,
  },
  { noNullPrototype: true },
);
const priv = fc.record(
  { protocol: fc.constantFrom('aes', 'aes256b', 'aes256r'), key },
  { noNullPrototype: true },
);

const sender: fc.Arbitrary<SnmpSender> = fc.oneof(
  fc.stringMatching(/^[\x21-\x7e]{1,20}$/).map((community) => {
    return { version: 'v2c' as const, community };
  }),
  fc
    .tuple(
      fc.stringMatching(/^[\x21-\x7e]{1,32}$/),
      fc.constantFrom(undefined, '80007ed90501', '000000000000000000000002'),
      fc.constantFrom(0, 1, 2),
      auth,
      priv,
    )
    .map(([user, engineId, level, withAuth, withPriv]) => ({
      version: 'v3' as const,
      user,
      auth: level > 0 ? withAuth : undefined,
      priv: level > 1 ? withPriv : undefined,
      engineId,
    })),
);

export const snmpModel: fc.Arbitrary<SnmpSettings> = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom('127.0.0.1', '2001:db8::7', 'traps.example'), { maxLength: 3 }),
    fc.oneof(fc.constant(162), fc.integer({ min: 1, max: 65_535 })),
    sender,
  )
  .map(([hosts, port, from]) => ({
    sinks: hosts.map((host) => ({ host, port })),
    sender: from,
  }));

/** The section's lines. */
export function renderSnmp({ sinks, sender: from }: SnmpSettings): string[] {
  const places = sinks.map((sink) => formatHostPort(sink).replace(/:162$/, ''));
  const lines = [`TrapSinks=${places.join(', ')}`, `Version=${from.version}`];
  if (from.version === 'v2c') return [...lines, `Community=${quote(from.community)}`];
  const { user, engineId, auth: a, priv: p } = from;
  const level = a === undefined ? 'noAuthNoPriv' : p === undefined ? 'authNoPriv' : 'authPriv';
  return [
    ...lines,
    `User=${quote(user)}`,
    `SecurityLevel=${level}`,
    ...(a === undefined ? [] : [`AuthProtocol=${a.protocol}`, `AuthKey=${quote(a.key)}`]),
    ...(p === undefined ? [] : [`PrivProtocol=${p.protocol}`, `PrivKey=${quote(p.key)}`]),
    `EngineId=${engineId ?? ''}`,
  ];
}
