/**
 * `npm run bench -- first-block`: how long a worm's 251st request is away from the first one that is
 * blocked. A server of its own with an empty pattern set learns one worm after the other; the worm sends
 * its requests one by one, as fast as they are answered.
 */
import { RawClient } from '../../test/support/raw-client.ts';
import { startWormgate, type Wormgate } from '../../test/support/wormgate.ts';
import { median } from './proxies/figures.ts';

const threshold = 250;
const wormCount = 21;
/** Should nothing be learned, the worm gives up. */
const requestsMax = 5_000;

interface Infection {
  /** Requests that were served, the threshold's included. */
  readonly served: number;
  /** From the sending of the 251st request to the first that is closed without an answer. */
  readonly delayMs: number;
}

async function infect(wormgate: Wormgate, target: string): Promise<Infection> {
  const client = await RawClient.connect(wormgate.port);
  const request = `GET ${target} HTTP/1.1\r\nHost: site.test\r\n\r\n`;
  let begin = 0;
  for (let served = 0; served < requestsMax; served += 1) {
    if (served === threshold) begin = performance.now();
    client.send(request);
    // Closed without an answer: slipped.
    const isAnswered = await client.answer().then(
      () => true,
      () => false,
    );
    if (isAnswered) continue;
    client.destroy();
    return { served, delayMs: performance.now() - begin };
  }
  throw new Error(`${target} was not learned after ${requestsMax} requests`);
}

const ends: (() => unknown)[] = [];
try {
  const wormgate = await startWormgate(
    { after: (end) => void ends.push(end) },
    {
      sections: {
        'Virus Pattern Configuration': [
          'EnablePatternAutoUpdate=1',
          'RefreshInterval=60',
          // Else the first worm's keyword would block all others at once.
          'BlockConfirmedKeywords=0',
        ],
      },
    },
  );
  wormgate.virus('add', '-k', 'default.ida');
  const infections: Infection[] = [];
  for (let worm = 1; worm <= wormCount; worm += 1) {
    infections.push(await infect(wormgate, `/${worm}/default.ida?${'N'.repeat(224)}`));
  }
  const delays = infections.map(({ delayMs }) => delayMs);
  const served = infections.map((each) => each.served);
  console.log(`Node.js ${process.version}, ${wormCount} worms, HitThreshold=${threshold}`);
  console.log(`from the 251st request to the first block: median ${median(delays).toFixed(1)} ms`);
  console.log(`  longest ${Math.max(...delays).toFixed(1)} ms`);
  console.log(`requests served before it: ${Math.min(...served)} to ${Math.max(...served)}`);
} finally {
  for (const end of ends) await end();
}
