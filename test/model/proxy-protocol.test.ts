/** The PROXY protocol's header against a writer of it, and against bytes that are none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalizeAddress } from '../../src/config/address-list.ts';
import { type ProxyHeader, readProxyHeader } from '../../src/http/proxy-protocol.ts';

const seed = 2405;
const port = fc.integer({ min: 0, max: 65_535 });
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

interface Written {
  readonly bytes: Buffer;
  readonly source: string | undefined;
}

const textHeader: fc.Arbitrary<Written> = fc
  .oneof(
    fc.tuple(fc.constant('TCP4'), fc.ipV4(), fc.ipV4()),
    fc.tuple(fc.constant('TCP6'), fc.ipV6(), fc.ipV6()),
    fc.tuple(fc.constant('UNKNOWN'), fc.constant(''), fc.constant('')),
  )
  .chain(([family, source, target]) =>
    fc.tuple(port, port).map(([from, to]) => {
      const rest = family === 'UNKNOWN' ? '' : ` ${source} ${target} ${from} ${to}`;
      return {
        bytes: Buffer.from(`PROXY ${family}${rest}\r\n`),
        source: family === 'UNKNOWN' ? undefined : normalizeAddress(source),
      };
    }),
  )
  .filter(({ bytes }) => bytes.length <= 107);

const binaryHeader: fc.Arbitrary<Written> = fc
  .record({
    isLocal: fc.boolean(),
    family: fc.constantFrom(0, 1, 2, 3),
    transport: fc.constantFrom(0, 1, 2),
    addresses: fc.uint8Array({ minLength: 216, maxLength: 216 }),
    extra: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ isLocal, family, transport, addresses, extra }) => {
    const size = [0, 12, 36, 216][family] ?? 0;
    const payload = Buffer.concat([addresses.subarray(0, size), extra]);
    const head = Buffer.alloc(16);
    signature.copy(head);
    head[12] = isLocal ? 0x20 : 0x21;
    head[13] = family * 16 + transport;
    head.writeUInt16BE(payload.length, 14);
    const hex = Buffer.from(addresses.subarray(0, 16)).toString('hex');
    const long = normalizeAddress((hex.match(/.{4}/g) ?? []).join(':'));
    const sources = [undefined, Array.from(addresses.subarray(0, 4)).join('.'), long, undefined];
    const isTold = !isLocal && transport === 1;
    return { bytes: Buffer.concat([head, payload]), source: isTold ? sources[family] : undefined };
  });

test('a header is read whole, whatever stands behind it, and not before it is whole', () => {
  fc.assert(
    fc.property(
      fc.oneof(textHeader, binaryHeader),
      fc.uint8Array({ maxLength: 50 }),
      ({ bytes, source }, behind) => {
        const whole: ProxyHeader = { kind: 'whole', source, end: bytes.length };
        assert.deepEqual(readProxyHeader(Buffer.concat([bytes, behind])), whole);
        for (let length = 0; length < bytes.length; length += 1) {
          assert.equal(readProxyHeader(bytes.subarray(0, length)).kind, 'incomplete');
        }
      },
    ),
    { seed, numRuns: 500 },
  );
});

test('a byte changed gives another header of the same length, or none; never an exception', () => {
  fc.assert(
    fc.property(
      fc.oneof(textHeader, binaryHeader),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      ({ bytes }, at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at % bytes.length] = byte;
        const read = readProxyHeader(changed);
        if (read.kind === 'whole') assert.ok(read.end <= changed.length);
      },
    ),
    { seed, numRuns: 3000 },
  );
});

test('what never becomes a header is given up within its bounds', () => {
  const never = [
    'GET / HTTP/1.1\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n',
    'PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n',
    'PROXY TCP4 ::1 ::1 1 1\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n',
    'PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n',
    'proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}`,
  ];
  for (const text of never) assert.equal(readProxyHeader(Buffer.from(text)).kind, 'broken', text);
  const huge = Buffer.concat([signature, Buffer.from('2111ffff', 'hex')]);
  assert.equal(readProxyHeader(huge).kind, 'broken');
  const short = Buffer.concat([signature, Buffer.from('2111000b', 'hex')]);
  assert.equal(readProxyHeader(short).kind, 'broken');
});
