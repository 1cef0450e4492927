import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressList, normalizeAddress, parseCidr } from '../../../src/config/address-list.ts';

test('one address has one spelling', () => {
  assert.equal(normalizeAddress('::FFFF:192.0.2.1'), '192.0.2.1');
  assert.equal(normalizeAddress('::ffff:c000:201'), '192.0.2.1');
  assert.equal(normalizeAddress('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  assert.equal(normalizeAddress('fe80::1%eth0'), 'fe80::1');
  assert.equal(normalizeAddress('192.0.2.1'), '192.0.2.1');
  assert.equal(normalizeAddress('example.com'), 'example.com');
});

test('a network is read with its prefix, a single address with all its bits', () => {
  const cases = [
    ['10.1.2.3/8', 'ipv4', '10.1.2.3', 8],
    ['0.0.0.0/0', 'ipv4', '0.0.0.0', 0],
    ['192.0.2.1', 'ipv4', '192.0.2.1', 32],
    ['2001:DB8::/32', 'ipv6', '2001:db8::', 32],
    ['::1', 'ipv6', '::1', 128],
    ['::ffff:10.0.0.0/104', 'ipv4', '10.0.0.0', 8],
  ] as const;
  for (const [text, family, address, prefix] of cases) {
    assert.deepEqual(parseCidr(text), { ok: true, cidr: { family, address, prefix } });
  }
});

test('what is no network is refused', () => {
  for (const text of [
    '',
    'host',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '::/129',
  ]) {
    assert.equal(parseCidr(text).ok, false, text);
  }
  for (const text of ['10.0.0.0/8/8', '10.0.0.0/0x8', 'fe80::1%eth0', '::ffff:10.0.0.0/95', '/8']) {
    assert.equal(parseCidr(text).ok, false, text);
  }
  assert.throws(() => new AddressList(['10.0.0.0/33']), /10\.0\.0\.0\/33/);
});

test('an IPv4-mapped address is in the IPv4 networks, and in no IPv6 network', () => {
  const list = new AddressList(['192.0.2.0/24']);
  assert.equal(list.has('::ffff:192.0.2.9'), true);
  assert.equal(list.has('192.0.3.9'), false);
  const six = new AddressList(['::/0']);
  assert.equal(six.has('2001:db8::1%eth0'), true);
  assert.equal(six.has('::ffff:192.0.2.9'), false);
  assert.equal(six.has('192.0.2.9'), false);
});

test('an empty list has nothing, and text that is no address is in no list', () => {
  assert.equal(new AddressList([]).has('192.0.2.1'), false);
  assert.equal(new AddressList(['0.0.0.0/0', '::/0']).has('example.com'), false);
  assert.equal(new AddressList(['0.0.0.0/0', '::/0']).has(''), false);
});

/** The 128 or 32 bits of the address as a string of 0 and 1. */
function bitsOf(groups: readonly number[], groupBits: number): string {
  return groups.map((group) => group.toString(2).padStart(groupBits, '0')).join('');
}

const families = [
  { groups: 4, groupBits: 8, write: (groups: readonly number[]) => groups.join('.') },
  {
    groups: 8,
    groupBits: 16,
    write: (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(':'),
  },
];

for (const { groups, groupBits, write } of families) {
  test(`membership of ${groups * groupBits} bit addresses is equality of the leading bits`, () => {
    const group = fc.integer({ min: 0, max: 2 ** groupBits - 1 });
    const address = fc.array(group, { minLength: groups, maxLength: groups });
    const flip = fc.integer({ min: 0, max: groups * groupBits - 1 });
    const prefix = fc.integer({ min: 0, max: groups * groupBits });
    fc.assert(
      fc.property(address, flip, prefix, (network, flipped, bits) => {
        const at = Math.floor(flipped / groupBits);
        const mask = 1 << (groupBits - 1 - (flipped % groupBits));
        const other = network.map((value, index) => (index === at ? value ^ mask : value));
        const expected =
          bitsOf(network, groupBits).slice(0, bits) === bitsOf(other, groupBits).slice(0, bits);
        const list = new AddressList([`${write(network)}/${bits}`]);
        assert.equal(list.has(write(network)), true);
        assert.equal(list.has(write(other)), expected);
      }),
    );
  });
}
