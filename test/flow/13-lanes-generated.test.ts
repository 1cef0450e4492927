/** Both lanes alike: thousands of random requests, from ordinary ones to what only looks like one. */
import { after, test } from 'node:test';
import fc from 'fast-check';
import { startLanePair } from '../support/lane-pair.ts';
import { oddRequest, oneByteOff, soundRequest } from '../support/lane-requests.ts';
import { bytes, type Scenario } from '../support/lane-scenario.ts';

const pair = await startLanePair(
  { after },
  { sites: { plain: [], trusted: ['TrustedProxies=127.0.0.0/8'], named: ['Hosts=a'] } },
);

const laneCount = 32;

function scenarios(
  requests: fc.Arbitrary<string[]>,
  seed: number,
  count: number,
  options: { site?: string; answers?: number } = {},
): Scenario[] {
  const { site = 'plain', answers } = options;
  const all = fc.sample(requests, { seed, numRuns: count });
  return all.map((parts) => ({ ...bytes(parts, answers), site }));
}

test('sound requests', async () => {
  await pair.compare(scenarios(soundRequest, 1301, 250, { answers: 1 }), laneCount);
});

test('odd requests', async () => {
  await pair.compare(scenarios(oddRequest, 1302, 500), laneCount);
});

test('odd requests behind a trusted proxy', async () => {
  await pair.compare(scenarios(oddRequest, 1303, 150, { site: 'trusted' }), laneCount);
});

test('odd requests for a site with Hosts', async () => {
  await pair.compare(scenarios(oddRequest, 1304, 150, { site: 'named' }), laneCount);
});

test('typical requests with one byte changed, put in or left out', async () => {
  await pair.compare(scenarios(oneByteOff, 1305, 500), laneCount);
});

test('several of them at once', async () => {
  const one = fc.oneof(
    { weight: 3, arbitrary: soundRequest },
    { weight: 1, arbitrary: oddRequest },
    { weight: 1, arbitrary: oneByteOff },
  );
  const several = fc
    .array(one, { minLength: 2, maxLength: 5 })
    .map((requests) => [requests.flat().join('')]);
  await pair.compare(scenarios(several, 1308, 200), laneCount);
});
