/** Both lanes alike over TLS: the same requests, the same answers, the same lines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { startLanePair } from '../support/lane-pair.ts';
import { oddRequest, soundRequest } from '../support/lane-requests.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';
import { skipWithout } from '../support/parts.ts';

const skip = skipWithout('openssl');
const hsts = ['HstsSeconds=300', 'HstsIncludeSubdomains=1'];
const trusted = ['TrustedProxies=127.0.0.0/8'];

function scenarios(requests: fc.Arbitrary<string[]>, seed: number, count: number, site: string) {
  return fc
    .sample(requests, { seed, numRuns: count })
    .map((parts): Scenario => ({ ...bytes(parts), site }));
}

test('random requests over TLS, with and without HSTS and trusted proxies', { skip }, async () => {
  const sites = { plain: [], strict: hsts, trusted: [...hsts, ...trusted] };
  const pair = await startLanePair({ after }, { sites, isTls: true });
  for (const [index, site] of Object.keys(sites).entries()) {
    await pair.compare(scenarios(soundRequest, 2001 + index, 120, site), 16);
    await pair.compare(scenarios(oddRequest, 2011 + index, 120, site), 16);
  }
});

test('a difference would be found', { skip }, async () => {
  const pair = await startLanePair({ after }, { isTls: true, mutation: ['MaxHeaders=10'] });
  const lines = Array.from({ length: 12 }, (_, index) => `X-${index}: y\r\n`).join('');
  const request = `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
  assert.notDeepEqual(await pair.differences([{ ...bytes([request]), site: 'only' }]), []);
});
