/** Crawlers prove themselves by their names, both ways. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CrawlerChecks } from '../../src/crawler-checks.ts';
import { Statistics } from '../../src/statistics.ts';
import { HandClock } from '../support/hand-clock.ts';
import { accelerator, settingsOf } from '../support/settings-text.ts';

const google = 'crawl-192-0-2-1.googlebot.com';

function checking(options: {
  readonly lines?: readonly string[];
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly isSilent?: boolean;
}) {
  const lines = ['[Virus Sources]', ...(options.lines ?? []), '[Limits]', 'NameTimeout=5'];
  const settings = settingsOf([accelerator, ...lines].join('\n'));
  const clock = new HandClock();
  const statistics = new Statistics();
  const impostors: string[] = [];
  const asked: string[] = [];
  const lookUp =
    (table: Readonly<Record<string, readonly string[]>> = {}) =>
    (key: string) => {
      asked.push(key);
      if (options.isSilent === true) return new Promise<never>(() => {});
      const found = table[key];
      return found === undefined ? Promise.reject(new Error('ESERVFAIL')) : Promise.resolve(found);
    };
  const checks = new CrawlerChecks({
    ...{ settings: () => settings, clock, statistics },
    names: { namesOf: lookUp(options.names), addressesOf: lookUp(options.addresses) },
    onImpostor: (address) => impostors.push(address),
  });
  const spares = (client: string) => checks.spares(client, client, clock.nowMs());
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { checks, clock, statistics, impostors, asked, spares, settle };
}

test('an address whose name lies in a listed domain and leads back to it is spared, for a day', async () => {
  const rig = checking({
    names: { '192.0.2.1': ['other.test', `${google.toUpperCase()}.`] },
    addresses: { [google]: ['192.0.2.9', '192.0.2.1'] },
  });
  assert.equal(rig.spares('192.0.2.1'), true);
  assert.equal(rig.spares('192.0.2.1'), true);
  await rig.settle();
  assert.equal(rig.spares('192.0.2.1'), true);
  assert.deepEqual(rig.asked, ['192.0.2.1', google]);
  assert.deepEqual(rig.impostors, []);
  assert.equal(rig.statistics.get('crawlers_proven'), 1);
  rig.clock.pass(86_400_001);
  assert.equal(rig.spares('192.0.2.1'), true);
  await rig.settle();
  assert.equal(rig.asked.length, 4);
});

for (const [title, names, addresses] of [
  ['has no name', { '192.0.2.1': [] }, {}],
  ['has a name elsewhere', { '192.0.2.1': ['a.test'] }, { 'a.test': ['192.0.2.1'] }],
  [
    'ends like a listed one',
    { '192.0.2.1': ['evilgooglebot.com'] },
    { 'evilgooglebot.com': ['192.0.2.1'] },
  ],
  ['claims a name that leads elsewhere', { '192.0.2.1': [google] }, { [google]: ['192.0.2.2'] }],
] as const) {
  test(`an address that ${title} is spared until that is known, and no longer`, async () => {
    const rig = checking({ names, addresses });
    assert.equal(rig.spares('192.0.2.1'), true);
    await rig.settle();
    assert.deepEqual(rig.impostors, ['192.0.2.1']);
    assert.equal(rig.spares('192.0.2.1'), false);
    assert.equal(rig.statistics.get('crawlers_proven'), 0);
  });
}

for (const [title, names] of [
  ['its name', {}],
  ['the address of its name', { '192.0.2.1': [google] }],
] as const) {
  test(`an address is looked up again when no name server has told ${title}`, async () => {
    const addresses: Record<string, readonly string[]> = {};
    const known: Record<string, readonly string[]> = { ...names };
    const rig = checking({ names: known, addresses });
    assert.equal(rig.spares('192.0.2.1'), true);
    await rig.settle();
    assert.deepEqual(rig.impostors, ['192.0.2.1']);
    known['192.0.2.1'] = [google];
    addresses[google] = ['192.0.2.1'];
    assert.equal(rig.spares('192.0.2.1'), true);
    await rig.settle();
    assert.equal(rig.statistics.get('crawlers_proven'), 1);
    assert.equal(rig.impostors.length, 1);
  });
}

test('a silent name server spares nobody for longer than NameTimeout', async () => {
  const rig = checking({ isSilent: true });
  assert.equal(rig.spares('192.0.2.1'), true);
  rig.clock.pass(5_000);
  await rig.settle();
  assert.deepEqual(rig.impostors, ['192.0.2.1']);
  assert.equal(rig.spares('192.0.2.1'), true);
});

test('beyond MaxCrawlerLookups nobody is looked up, nor with an empty list', () => {
  const rig = checking({ isSilent: true, lines: ['MaxCrawlerLookups=2'] });
  assert.deepEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(rig.spares), [true, true, false]);
  assert.equal(rig.statistics.get('source_lookups_refused'), 1);
  const none = checking({ isSilent: true, lines: ['Crawlers='] });
  assert.equal(none.spares('192.0.2.1'), false);
  assert.deepEqual(none.asked, []);
});
