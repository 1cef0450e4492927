import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForwardingFacts, outgoingHeaders } from '../../../src/http/outgoing-headers.ts';

const facts: ForwardingFacts = {
  peer: '192.0.2.7',
  peerTrusted: false,
  proto: 'http',
  host: 'site.test',
  hostFromTarget: false,
  httpVersion: '1.1',
  chunked: false,
  trace: undefined,
};

/** What is added to every request of these facts. */
const added = [
  'Via: 1.1 wormgate',
  'X-Forwarded-For: 192.0.2.7',
  'X-Forwarded-Proto: http',
  'X-Forwarded-Host: site.test',
];

/** The lines that are sent for a request with these lines. */
function sent(lines: readonly string[], more: Partial<ForwardingFacts> = {}): string[] {
  const raw = lines.flatMap((line) => line.split(': ', 2));
  return outgoingHeaders(raw, { ...facts, ...more }).map(([name, value]) => `${name}: ${value}`);
}

test('lines keep their case, order and repetition, and what we have to say comes behind', () => {
  const lines = ['HOST: site.test', 'x-b: 2', 'X-A: 1', 'x-B: 3', 'Cookie: a=b'];
  assert.deepEqual(sent(lines), [...lines, ...added]);
});

test('hop-by-hop lines and those that Connection names are gone', () => {
  const lines = ['Host: site.test', 'Connection: X-Own, close', 'X-Own: 1', 'TE: trailers'];
  assert.deepEqual(sent(lines), ['Host: site.test', ...added]);
});

test('Expect is not sent on, Trailer only ahead of chunks', () => {
  const lines = ['Host: site.test', 'Expect: 100-continue', 'Trailer: X-Sum'];
  assert.deepEqual(sent(lines), ['Host: site.test', ...added]);
  assert.deepEqual(sent(lines, { chunked: true }), [
    'Host: site.test',
    'Trailer: X-Sum',
    'Transfer-Encoding: chunked',
    ...added,
  ]);
});

test('Via is begun, or carried on behind the hops before', () => {
  assert.deepEqual(
    sent(['Host: site.test', 'Via: 1.0 other'], { httpVersion: '1.0' }).slice(1, 3),
    ['Via: 1.0 other', 'Via: 1.0 wormgate'],
  );
});

test('what an untrusted peer says about the client is replaced, also spelled with underscores', () => {
  const claims = [
    'X-Forwarded-For: 10.0.0.1',
    'x-forwarded-proto: https',
    'X-FORWARDED-HOST: evil.test',
    'Forwarded: for=10.0.0.1',
    'X_Forwarded_For: 10.0.0.1',
    'X-Forwarded_Proto: https',
  ];
  assert.deepEqual(sent(['Host: site.test', ...claims]), ['Host: site.test', ...added]);
});

test('what a trusted peer says is carried on', () => {
  const claims = [
    'X-Forwarded-For: 198.51.100.1',
    'x-forwarded-for: 198.51.100.2',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: public.test',
    'Forwarded: for=198.51.100.2',
  ];
  assert.deepEqual(sent(['Host: site.test', ...claims], { peerTrusted: true }), [
    'Host: site.test',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: public.test',
    'Forwarded: for=198.51.100.2',
    'Via: 1.1 wormgate',
    'X-Forwarded-For: 198.51.100.1, 198.51.100.2, 192.0.2.7',
    'Forwarded: for=192.0.2.7;proto=http',
  ]);
});

test('a trusted peer that says nothing has it said by us; Forwarded is not begun', () => {
  assert.deepEqual(sent(['Host: site.test'], { peerTrusted: true }), ['Host: site.test', ...added]);
});

test('an IPv6 address is quoted in Forwarded only', () => {
  const lines = sent(['Forwarded: for=a'], { peerTrusted: true, peer: '2001:db8::7' });
  assert.ok(lines.includes('X-Forwarded-For: 2001:db8::7'));
  assert.ok(lines.includes('Forwarded: for="[2001:db8::7]";proto=http'));
});

test('the host of an absolute-form target takes the place of Host, once', () => {
  const fromTarget = { hostFromTarget: true, host: 'target.test' };
  assert.deepEqual(sent(['X: 1', 'hOST: other.test', 'Y: 2'], fromTarget).slice(0, 3), [
    'X: 1',
    'hOST: target.test',
    'Y: 2',
  ]);
  assert.deepEqual(sent(['X: 1'], fromTarget).slice(0, 2), ['Host: target.test', 'X: 1']);
  assert.deepEqual(sent(['Host: a', 'host: b'], fromTarget).slice(0, 2), [
    'Host: target.test',
    'Via: 1.1 wormgate',
  ]);
});

test('without a host none is told', () => {
  assert.deepEqual(sent(['X: 1'], { host: undefined, httpVersion: '1.0' }), [
    'X: 1',
    'Via: 1.0 wormgate',
    'X-Forwarded-For: 192.0.2.7',
    'X-Forwarded-Proto: http',
  ]);
});
