/** Several real Apaches behind one site, of which one is killed, slow, broken, or back again. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Apache, startApache } from '../support/apache.ts';
import { startRawOrigin } from '../support/origin.ts';
import { skipWithout } from '../support/parts.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { startWormgate, until, type Wormgate, type WormgateOptions } from '../support/wormgate.ts';

const skip = skipWithout('apache2');
const get = 'GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST /page.html HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
const page = Buffer.from('the page\n');
let first: Apache;
let second: Apache;

if (skip === false) {
  [first, second] = await Promise.all([startApache({ after }), startApache({ after })]);
  for (const apache of [first, second]) apache.publish('/page.html', page);
}

function start(
  fastPath: string,
  origin: string,
  accelerator: readonly string[] = [],
  limits: readonly string[] = [],
): Promise<Wormgate> {
  const options: WormgateOptions = {
    origin,
    accelerator,
    sections: {
      'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
      Limits: limits,
    },
  };
  return startWormgate({ after }, options);
}

/** The row of an origin in `virus origins`. */
function rowOf(wormgate: Wormgate, origin: string): string {
  const { stdout } = wormgate.virus('origins');
  return stdout.split('\n').find((line) => line.includes(origin)) ?? stdout;
}

/** A slow, a mute or a broken origin beside the first Apache. */
async function expectPage(wormgate: Wormgate, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    const answer = await askOnce(wormgate.port, get);
    assert.deepEqual([answer.status, answer.body], [200, page]);
  }
}

for (const [lane, fastPath] of [
  ['the fast path', '1'],
  ['the front', '0'],
] as const) {
  describe(`on ${lane}`, { skip }, () => {
    test('one of two is killed under load, and no GET fails; it is back when it runs again', async () => {
      const wormgate = await start(fastPath, `${first.url}, ${second.url}`, ['FailTimeout=1']);
      let answered = 0;
      let isOver = false;
      const failures: string[] = [];
      const visit = async () => {
        const client = await RawClient.connect(wormgate.port);
        while (!isOver) {
          const answer = await client.ask(get);
          answered += 1;
          if (answer.status !== 200 || !answer.body.equals(page)) {
            failures.push(`${answer.status} ${answer.body}`);
            break;
          }
        }
        client.destroy();
      };
      const visitors = Array.from({ length: 16 }, visit);
      await until(() => answered > 300);
      await first.stop();
      const atDeath = answered;
      await until(() => answered > atDeath + 600);
      await until(() => wormgate.stderr.includes(`origin ${first.url} is down: `));
      assert.match(rowOf(wormgate, first.url), / down .* origin_(unreachable|closed) /);
      assert.match(rowOf(wormgate, second.url), / up /);
      await first.start();
      await until(() => wormgate.stderr.includes(`origin ${first.url} is back\n`));
      isOver = true;
      await Promise.all(visitors);
      assert.deepEqual(failures, []);
      assert.match(rowOf(wormgate, first.url), / up /);
      assert.ok((await wormgate.counter('requests_moved')) > 0);
      assert.equal(await wormgate.counter('origins_left_out'), 1);
      assert.equal(await wormgate.counter('origins_back'), 1);
    });

    test('one that says nothing costs a GET its time and no more, until it is left out', async () => {
      const mute = await startRawOrigin({ after }, () => {});
      const origins = `${mute.url} weight=256, ${first.url}`;
      const wormgate = await start(fastPath, origins, ['MaxFails=2'], ['OriginTimeout=1']);
      await expectPage(wormgate, 1);
      assert.equal((await askOnce(wormgate.port, post)).status, 504);
      assert.match(rowOf(wormgate, mute.url), / down .* origin_timeout$/);
      const { connections } = mute;
      await expectPage(wormgate, 5);
      assert.equal(mute.connections, connections);
      assert.equal(await wormgate.counter('origin_timeouts'), 1);
    });

    test('one that answers garbage costs a GET nothing, and a POST a 502', async () => {
      const broken = await startRawOrigin({ after }, (socket) => socket.write('SSH-2.0-x\r\n\r\n'));
      const wormgate = await start(fastPath, `${broken.url} weight=256, ${first.url}`);
      await expectPage(wormgate, 2);
      assert.equal((await askOnce(wormgate.port, post)).status, 502);
      assert.match(rowOf(wormgate, broken.url), / down .* origin_garbage/);
      await expectPage(wormgate, 3);
    });

    test('one that closes within its answers is cut short, and then left out', async () => {
      const half = await startRawOrigin({ after }, (socket) => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe');
      });
      const wormgate = await start(fastPath, `${half.url} weight=256, ${first.url}`);
      for (let times = 0; times < 3; times += 1) {
        const client = await RawClient.connect(wormgate.port);
        client.send(get);
        await client.end();
        assert.match(client.text, /\r\n\r\nthe$/);
      }
      assert.match(rowOf(wormgate, half.url), / down .* origin_closed/);
      await expectPage(wormgate, 3);
      assert.equal(await wormgate.counter('origin_aborts'), 3);
      assert.match(await wormgate.logLine(/cut_short/), / 200 3 error=origin_cut_short id=/);
    });
  });
}
