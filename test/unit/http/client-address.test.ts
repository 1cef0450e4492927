import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressList } from '../../../src/config/address-list.ts';
import { clientAddress } from '../../../src/http/client-address.ts';

const trusted = new AddressList(['10.0.0.0/8', '2001:db8:1::/48']);

/** The client that a trusted peer's X-Forwarded-For names. */
function fromXff(value: string): string {
  return clientAddress('10.0.0.1', value, undefined, trusted).client;
}

/** The client that a trusted peer's Forwarded names. */
function fromForwarded(value: string): string {
  return clientAddress('10.0.0.1', undefined, value, trusted).client;
}

test('an untrusted peer is the client, whatever it writes', () => {
  for (const [forwardedFor, forwarded] of [
    [undefined, undefined],
    ['192.0.2.7', undefined],
    ['10.0.0.1', 'for=10.0.0.1'],
    [undefined, 'for=192.0.2.7'],
  ]) {
    assert.deepEqual(clientAddress('198.51.100.1', forwardedFor, forwarded, trusted), {
      client: '198.51.100.1',
      peerTrusted: false,
    });
  }
});

test('without a list nobody is trusted', () => {
  assert.deepEqual(clientAddress('10.0.0.1', '192.0.2.7', undefined, new AddressList([])), {
    client: '10.0.0.1',
    peerTrusted: false,
  });
});

test('a trusted peer that names nobody is the client itself', () => {
  assert.deepEqual(clientAddress('10.0.0.1', undefined, undefined, trusted), {
    client: '10.0.0.1',
    peerTrusted: true,
  });
  assert.equal(fromXff(''), '10.0.0.1');
  assert.equal(fromForwarded('proto=https;by=10.0.0.9'), '10.0.0.1');
});

test('addresses are written in one spelling, IPv4-mapped ones as IPv4', () => {
  assert.deepEqual(clientAddress('::ffff:10.0.0.1', '::ffff:192.0.2.7', undefined, trusted), {
    client: '192.0.2.7',
    peerTrusted: true,
  });
  assert.equal(
    clientAddress('2001:DB8:2:0::1', undefined, undefined, trusted).client,
    '2001:db8:2::1',
  );
  assert.equal(clientAddress('2001:db8:1::5', undefined, undefined, trusted).peerTrusted, true);
});

test('X-Forwarded-For is read from the right, up to the first address that is not trusted', () => {
  assert.equal(fromXff('192.0.2.7'), '192.0.2.7');
  assert.equal(fromXff('198.51.100.66, 192.0.2.7'), '192.0.2.7');
  assert.equal(fromXff('198.51.100.66, 192.0.2.7, 10.9.9.9,10.1.1.1'), '192.0.2.7');
  assert.equal(fromXff('10.2.2.2, 10.3.3.3'), '10.2.2.2');
  assert.equal(fromXff('192.0.2.7, 2001:db8:1::9'), '192.0.2.7');
});

test('a hop that is no address ends the search: what stands left of it may be anybody’s', () => {
  for (const hop of [
    'unknown',
    '_hidden',
    '',
    'host.test',
    '300.1.1.1',
    '[::1',
    '[]',
    '1.2.3.4:x:y',
  ]) {
    assert.equal(fromXff(`192.0.2.7, ${hop}`), '10.0.0.1', hop);
    assert.equal(fromXff(`192.0.2.7, ${hop}, 10.5.5.5`), '10.5.5.5', hop);
  }
});

test('a port or brackets around the address do not matter', () => {
  assert.equal(fromXff('192.0.2.7:4711'), '192.0.2.7');
  assert.equal(fromXff('[2001:db8:9::7]:4711'), '2001:db8:9::7');
  assert.equal(fromXff('[2001:db8:9::7]'), '2001:db8:9::7');
  assert.equal(fromXff('2001:db8:9::7'), '2001:db8:9::7');
});

test('Forwarded is read likewise, quoted or not, whatever the case of its parameter', () => {
  assert.equal(fromForwarded('for=192.0.2.7'), '192.0.2.7');
  assert.equal(fromForwarded('For="192.0.2.7:80";proto=http'), '192.0.2.7');
  assert.equal(fromForwarded('by=10.0.0.2; FOR="[2001:db8:9::7]:80"'), '2001:db8:9::7');
  assert.equal(
    fromForwarded('for=198.51.100.66, for=192.0.2.7;proto=https, for=10.1.1.1'),
    '192.0.2.7',
  );
  assert.equal(fromForwarded('for=192.0.2.7, for=unknown'), '10.0.0.1');
});

test('where both are there, X-Forwarded-For counts', () => {
  assert.equal(
    clientAddress('10.0.0.1', '192.0.2.7', 'for=192.0.2.8', trusted).client,
    '192.0.2.7',
  );
});

const address = fc.constantFrom('10.0.0.2', '10.0.0.3', '192.0.2.1', '192.0.2.2', '2001:db8:9::1');
const hop = fc.oneof(address, address, fc.constantFrom('unknown', '', 'x'));

test('agrees with a model: the longest trusted tail, and the hop before it', () => {
  fc.assert(
    fc.property(fc.array(hop, { minLength: 1, maxLength: 6 }), (hops) => {
      const chain = [...hops, '10.0.0.1'];
      const isTrusted = (each: string) => each.startsWith('10.');
      const firstTrusted =
        chain.length - [...chain].reverse().findIndex((each) => !isTrusted(each));
      const tailStart = chain.every(isTrusted) ? 0 : firstTrusted;
      const before = chain[tailStart - 1];
      const isAddress = before !== undefined && /^(\d|2001)/.test(before);
      const expected = isAddress ? before : chain[tailStart];
      assert.equal(fromXff(hops.join(', ')), expected);
      assert.equal(
        fromForwarded(
          hops.map((each) => `for="${each.includes(':') ? `[${each}]` : each}"`).join(','),
        ),
        expected,
      );
    }),
    { numRuns: 1000 },
  );
});
