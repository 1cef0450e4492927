/** Several machines that share by way of a redis-server, when all is well: one decides, all block. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../support/certificate.ts';
import { obey } from '../support/console-lines.ts';
import { done, virus } from '../support/operator.ts';
import { skipWithout } from '../support/parts.ts';
import { projectPath } from '../support/paths.ts';
import { askRaw, isSlipped } from '../support/raw.ts';
import {
  dumpOf,
  fleetOptions,
  makeFleet,
  type Redis,
  startAll,
  startRedis,
} from '../support/redis.ts';
import { freePort, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const skip = skipWithout('redis-server');

async function three(t: { after(fn: () => unknown): void }) {
  const redis = await startRedis(t);
  const nodes = await makeFleet(t, urlOf(redis), 3);
  await startAll(nodes);
  await allFollow(nodes);
  const [a, b, c] = nodes as [Wormgate, Wormgate, Wormgate];
  return { redis, nodes, a, b, c };
}

function urlOf({ port }: Redis): string {
  return `redis://127.0.0.1:${port}`;
}

async function isBlocked(node: Wormgate, target: string): Promise<boolean> {
  return isSlipped(await askRaw(node.port, `GET ${target} HTTP/1.1`));
}

/** The rights that config/compose.yaml gives. */
function documentedRights(): string[] {
  const text = readFileSync(projectPath('config', 'compose.yaml'), 'utf8');
  return Array.from(text.matchAll(/^ {6}- "(\+[^"]+)"$/gm), ([, right = '']) => right);
}

async function allFollow(nodes: readonly Wormgate[]): Promise<void> {
  for (const node of nodes) {
    await until(async () => (await done(node, 'fleet')).includes('is followed'));
  }
}

test('a pattern added on one machine blocks on all, and says which one brought it', {
  skip,
}, async (t) => {
  const { nodes, a, b } = await three(t);
  await done(a, 'add', '-p', 'worm/attack-0123', '-o', '30');
  for (const node of nodes) await until(() => isBlocked(node, '/worm/attack-0123?x'));
  assert.match(await done(b, 'list'), /worm\/attack-0123"? +30 +console@node-1/);
  await b.logLine(/worm\/attack.*console@node-1/);
});

test('deletions, keywords, rejections, a clear and the shared settings hold on all; MaxVirusPatterns does not', {
  skip,
}, async (t) => {
  const { nodes, a, b, c } = await three(t);
  await obey(a, 'virus add -p "one" -o 10', 'virus add -k W0rm', 'virus -t 300 -r 12 -m 5000');
  await until(async () => (await done(c, 'list')).includes('one'));
  await until(async () => (await done(c, 'list', '-k')).includes('W0rm'));
  await until(async () => (await done(c, 'show')).includes('Refresh Interval: 12'));
  await obey(c, 'virus del -p "one" -o 10', 'virus del -k w0rm', 'virus add -p "two" -o 20');
  for (const node of nodes) {
    await until(async () => !(await done(node, 'list')).includes('one'));
    await until(async () => (await done(node, 'list')).includes('two'));
    await until(async () => !/w0rm/i.test(await done(node, 'list', '-k')));
    assert.match(await done(node, 'show'), /Hit Threshold: 300/);
    assert.match(await done(node, 'show'), /Refresh Interval: 12/);
  }
  await done(b, '-m', '2');
  await obey(a, 'virus add -p "three" -o 30', 'virus add -p "four" -o 40');
  for (const node of nodes) await until(async () => (await done(node, 'list')).includes('four'));
  const dumps = await Promise.all(nodes.map(dumpOf));
  assert.equal(dumps[1], dumps[0]);
  assert.equal(dumps[2], dumps[0]);
  await done(b, '-c');
  for (const node of nodes) await until(async () => !(await done(node, 'list')).includes('four'));
});

test('a new machine has at once what the others have, from a snapshot and what came after it', {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const settings = ['SnapshotEvery=100'];
  const nodes = await makeFleet(t, urlOf(redis), 2, settings);
  await startAll(nodes);
  await allFollow(nodes);
  const [a] = nodes as [Wormgate, Wormgate];
  for (let round = 0; round < 6; round += 1) {
    const lines = Array.from({ length: 100 }, (_, at) => `virus add -p "p${round}-${at}" -o 50`);
    await obey(a, ...lines, `virus del -p "p${round}-7" -o 50`);
  }
  const snapshots = async () =>
    (await Promise.all(nodes.map((node) => node.counter('fleet_snapshots')))).reduce(
      (x, y) => x + y,
    );
  await until(async () => (await snapshots()) >= 2);
  await obey(a, 'virus add -p "after" -o 50');
  const late = await startWormgate(t, fleetOptions(urlOf(redis), 3, settings));
  await until(async () => (await dumpOf(late)).includes('after'));
  assert.equal(await dumpOf(late), await dumpOf(a));
});

test('what a machine had before it joined is shared, unless the fleet has decided otherwise', {
  skip,
}, async (t) => {
  const { redis, nodes, a } = await three(t);
  await obey(a, 'virus add -p "gone" -o 10', 'virus del -p "gone" -o 10');
  const alone = await startWormgate(t);
  await obey(alone, 'virus add -p "gone" -o 10', 'virus add -p "mine" -o 10');
  alone.configure(fleetOptions(urlOf(redis), 4));
  alone.signal('SIGHUP');
  await until(() => alone.stderr.includes('is in force'));
  for (const node of nodes) await until(async () => (await done(node, 'list')).includes('mine'));
  await until(async () => !(await done(alone, 'list')).includes('gone'));
  await until(async () => (await dumpOf(alone)) === (await dumpOf(a)));
});

for (const workers of [1, 2]) {
  test(`a worm spread thinly over two machines of ${workers} workers is found by their sum, and by one alone it is not`, {
    skip,
  }, async (t) => {
    const redis = await startRedis(t);
    const options = (number: number) => ({
      sections: {
        ...fleetOptions(urlOf(redis), number, [`Workers=${workers}`]).sections,
        'Virus Pattern Configuration': [
          'EnablePatternAutoUpdate=1',
          'HitThreshold=100',
          'RefreshInterval=3600',
        ],
      },
    });
    const nodes = [await startWormgate(t, options(1)), await startWormgate(t, options(2))];
    await allFollow(nodes);
    const [a, b] = nodes as [Wormgate, Wormgate];
    await done(a, 'add', '-k', 'thin-worm');
    await until(async () => (await done(b, 'list', '-k')).includes('thin-worm'));
    const ask = async (node: Wormgate, times: number) => {
      for (let time = 0; time < times; time += 1) await isBlocked(node, '/no/thin-worm.exe?X');
    };
    await until(async () => /node-2/.test(await done(a, 'fleet')));
    // Neither of them alone comes to more than 100.
    await ask(a, 70);
    await ask(b, 70);
    // The sum is told with the next tallies, and the request after that is looked at.
    const isLearned = async (node: Wormgate) =>
      /auto\(thin-worm\)@node-/.test(await done(node, 'list'));
    for (let tries = 0; tries < 25 && !(await isLearned(a)); tries += 1) {
      // Workers that are told late how many machines there are name the window with its next request.
      await ask(a, 1);
      await ask(b, 1);
      await sleep(400);
    }
    const sums = await Promise.all(nodes.map((node) => node.counter('fleet_suspects')));
    assert.ok(sums.some((sum) => sum > 0));
    for (const node of nodes) await until(() => isLearned(node));
  });
}

test('over TLS, with a user and a password, whose certificate and rights are looked at', {
  skip: skipWithout('redis-server', 'openssl'),
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-fleet-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  makeCertificate(folder, ['127.0.0.1']);
  makeCertificate(folder, ['192.0.2.1'], { file: 'other' });
  const file = (name: string) => join(folder, name);
  const port = await freePort();
  const redis = await startRedis(
    t,
    ...['--port', '0', '--tls-port', String(port)],
    ...['--tls-cert-file', file('127.0.0.1.crt'), '--tls-key-file', file('127.0.0.1.key')],
    ...['--tls-ca-cert-file', file('127.0.0.1.crt'), '--tls-auth-clients', 'no'],
    ...['--user', 'default', 'off'],
    ...['--user', 'fleet', 'on', '>secret word', '~{wormgate}:*', '-@all', ...documentedRights()],
  );
  await redis.start();
  const url = `rediss://127.0.0.1:${port}`;
  const trusted = [`CA=${file('127.0.0.1.crt')}`, 'User=fleet'];
  const nodes = await makeFleet(t, url, 2, [...trusted, 'Password=secret word']);
  await startAll(nodes);
  await allFollow(nodes);
  const [a, b] = nodes as [Wormgate, Wormgate];
  await done(a, 'add', '-p', 'worm', '-o', '30');
  await until(async () => (await done(b, 'list')).includes('worm'));
  // Snapshots, tallies and the list of machines need rights, too.
  assert.match(await done(a, 'fleet'), /node-1[\s\S]*node-2/);
  assert.equal(await a.counter('fleet_failures'), 0);
  const stranger = await startWormgate(t, fleetOptions(url, 3, [...trusted, 'Password=wrong']));
  await until(async () => /WRONGPASS/.test(await done(stranger, 'fleet')));
  const foreign = [`CA=${file('other.crt')}`, 'User=fleet', 'Password=secret word'];
  const wary = await startWormgate(t, fleetOptions(url, 4, foreign));
  await until(async () => /cannot be reached: .*certificate/.test(await done(wary, 'fleet')));
  assert.equal((await virus(wary, 'add', '-p', 'x', '-o', '30')).code, 0);
});
