import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHosts } from '../../../src/egress/name-servers.ts';
import { Resolver } from '../../../src/egress/resolver.ts';
import { HandClock } from '../../support/hand-clock.ts';

function start(lookupsMax = 2, namesMax = 10) {
  const clock = new HandClock();
  const waiting = new Map<string, (addresses: readonly string[] | Error) => void>();
  const asked: string[] = [];
  const resolver = new Resolver({
    clock,
    timeoutMs: () => 2_000,
    lookupsMax: () => lookupsMax,
    lifetimeMs: () => 30_000,
    namesMax: () => namesMax,
    ask: (host) => {
      asked.push(host);
      return new Promise((resolve, reject) => {
        waiting.set(host, (found) => (found instanceof Error ? reject(found) : resolve(found)));
      });
    },
  });
  return { clock, resolver, waiting, asked };
}

test('an address needs no look-up', async () => {
  const { resolver, asked } = start();
  assert.deepEqual(await resolver.resolve('2001:db8::7', 'asker'), {
    ok: true,
    addresses: ['2001:db8::7'],
  });
  assert.deepEqual(asked, []);
});

test('who asks for the same name at once shares one look-up', async () => {
  const { resolver, waiting, asked } = start();
  const both = Promise.all([
    resolver.resolve('a.test', 'asker'),
    resolver.resolve('a.test', 'asker'),
  ]);
  waiting.get('a.test')?.(['192.0.2.1', '192.0.2.2']);
  const expected = { ok: true, addresses: ['192.0.2.1', '192.0.2.2'] } as const;
  assert.deepEqual(await both, [expected, expected]);
  assert.deepEqual(asked, ['a.test']);
  assert.equal(resolver.pendingCount, 0);
});

test('an unknown name, an empty answer and a late one are told apart', async () => {
  const { clock, resolver, waiting } = start();
  const unknown = resolver.resolve('a.test', 'asker');
  waiting.get('a.test')?.(new Error('ENOTFOUND'));
  assert.deepEqual(await unknown, { ok: false, reason: 'unknown' });
  const empty = resolver.resolve('b.test', 'asker');
  waiting.get('b.test')?.([]);
  assert.deepEqual(await empty, { ok: false, reason: 'unknown' });
  const late = resolver.resolve('c.test', 'asker');
  clock.pass(2_000);
  assert.deepEqual(await late, { ok: false, reason: 'timeout' });
});

test('name servers that never answer hold so many look-ups and no more', async () => {
  const { clock, resolver, asked } = start(2);
  const late = [resolver.resolve('a.test', 'one'), resolver.resolve('b.test', 'other')];
  clock.pass(2_000);
  await Promise.all(late);
  assert.equal(resolver.pendingCount, 2, 'the name servers are still at it');
  assert.deepEqual(await resolver.resolve('c.test', 'third'), { ok: false, reason: 'busy' });
  assert.deepEqual(asked, ['a.test', 'b.test']);
});

test('an answer is remembered for a while, a failure is not', async () => {
  const { clock, resolver, waiting, asked } = start();
  const ask = async (host: string, found: readonly string[] | Error) => {
    const answer = resolver.resolve(host, 'asker');
    waiting.get(host)?.(found);
    return await answer;
  };
  await ask('a.test', ['192.0.2.1']);
  clock.pass(29_000);
  assert.deepEqual(await resolver.resolve('a.test', 'asker'), {
    ok: true,
    addresses: ['192.0.2.1'],
  });
  assert.equal(asked.length, 1);
  clock.pass(1_000);
  await ask('a.test', ['192.0.2.2']);
  assert.deepEqual(asked, ['a.test', 'a.test']);
  await ask('b.test', new Error('ENOTFOUND'));
  await ask('b.test', ['192.0.2.3']);
  assert.equal(asked.length, 4);
});

test('so many names are remembered, and the oldest makes room', async () => {
  const { resolver, waiting, asked } = start(2, 2);
  for (const host of ['a.test', 'b.test', 'c.test', 'c.test', 'b.test', 'a.test']) {
    const answer = resolver.resolve(host, 'asker');
    waiting.get(host)?.(['192.0.2.1']);
    await answer;
  }
  assert.deepEqual(asked, ['a.test', 'b.test', 'c.test', 'a.test']);
});

test('one asker gets a quarter of the look-ups, and others go on', async () => {
  const { resolver, asked, waiting } = start(8);
  const busy = (host: string, asker: string) => resolver.resolve(host, asker);
  void busy('a.test', 'infected');
  const second = busy('b.test', 'infected');
  assert.deepEqual(await busy('c.test', 'infected'), { ok: false, reason: 'busy' });
  void busy('d.test', 'neighbour');
  assert.deepEqual(asked, ['a.test', 'b.test', 'd.test']);
  waiting.get('b.test')?.(['192.0.2.1']);
  await second;
  void busy('e.test', 'infected');
  assert.equal(asked.length, 4);
});

test('a hosts file is read name by name', () => {
  const hosts = parseHosts(
    '127.0.0.1 localhost\n# a comment\n::1 LocalHost ip6\nbad line\n10.0.0.1\ta b # c\n',
  );
  assert.deepEqual(Object.fromEntries(hosts), {
    localhost: ['127.0.0.1', '::1'],
    ip6: ['::1'],
    a: ['10.0.0.1'],
    b: ['10.0.0.1'],
  });
});
