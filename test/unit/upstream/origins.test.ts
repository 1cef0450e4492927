import assert from 'node:assert/strict';
import https from 'node:https';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { formatFault, loadSettings } from '../../../src/config/load.ts';
import type { Origin } from '../../../src/upstream/origin.ts';
import { listenKey, OriginTable, type SiteTable } from '../../../src/upstream/origins.ts';
import { FakeSurroundings } from '../../support/made-origin.ts';

const demo = { host: '127.0.0.1', port: 9 };

/** The sites of a PROXY.CFG. */
function sitesOf(text: string, table = makeTable()): SiteTable {
  const loaded = loadSettings('PROXY.CFG', () => Buffer.from(text, 'latin1'));
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'));
  const { accelerators, limits } = loaded.settings;
  return table.sitesFor(accelerators, limits, demo);
}

/** A table that the test's end closes. */
function makeTable(surroundings = new FakeSurroundings()): OriginTable {
  const table = new OriginTable(surroundings);
  after(() => table.close());
  return table;
}

/** One section, listening on port 80. */
function section(name: string, hosts: string, origin = 'demo', more = ''): string {
  return `[Accelerator ${name}]\nListen=127.0.0.1:80\nOrigin=${origin}\nHosts=${hosts}\n${more}\n`;
}

const listen = '127.0.0.1:80';

function nameOf(sites: SiteTable, host: string | undefined, at = listen): string | undefined {
  return sites.find(at, host)?.settings.name;
}

test('an exact host counts before a wildcard, a longer wildcard before a shorter, any before all', () => {
  const sites = sitesOf(
    section('all', '') +
      section('wide', '*.test') +
      section('deep', '*.a.test') +
      section('exact', 'x.a.test, 192.0.2.1, [2001:db8::1]'),
  );
  for (const [host, name] of [
    ['x.a.test', 'exact'],
    ['192.0.2.1', 'exact'],
    ['[2001:db8::1]', 'exact'],
    ['y.a.test', 'deep'],
    ['y.x.a.test', 'deep'],
    ['a.test', 'wide'],
    ['b.test', 'wide'],
    ['test', 'all'],
    ['192.0.2.2', 'all'],
    ['', 'all'],
    [undefined, 'all'],
  ] as const) {
    assert.equal(nameOf(sites, host), name, host);
  }
});

test('port, case and the final dot of a host do not matter', () => {
  const sites = sitesOf(section('one', 'site.test, [2001:db8::1]'));
  for (const host of [
    'site.test',
    'SITE.test',
    'site.test.',
    'site.test:80',
    'site.test:',
    'Site.Test.:8080',
    '[2001:db8::1]',
    '[2001:DB8::1]:80',
  ]) {
    assert.equal(nameOf(sites, host), 'one', host);
  }
});

test('where no name covers the host there is no site, nor on an address that nobody listens on', () => {
  const sites = sitesOf(section('one', 'site.test, *.wide.test'));
  for (const host of ['other.test', 'wide.test', 'xsite.test', 'site.test.x', '', undefined]) {
    assert.equal(nameOf(sites, host), undefined, host);
  }
  assert.equal(nameOf(sites, 'site.test', '127.0.0.1:81'), undefined);
});

test('a site is known on each of its listen addresses, and nowhere else', () => {
  const sites = sitesOf(
    '[Accelerator two] Listen=127.0.0.1:80, [::1]:81 Origin=demo Hosts=a.test\n' +
      '[Accelerator other] Listen=127.0.0.1:80 Origin=demo Hosts=b.test\n',
  );
  const second = listenKey({ host: '::1', port: 81 });
  assert.equal(nameOf(sites, 'a.test'), 'two');
  assert.equal(nameOf(sites, 'a.test', second), 'two');
  assert.equal(nameOf(sites, 'b.test'), 'other');
  assert.equal(nameOf(sites, 'b.test', second), undefined);
});

const label = fc.constantFrom('a', 'b', 'test');
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const pattern = fc.tuple(fc.constantFrom('', '*.'), host).map((parts) => parts.join(''));

test('finds what a model finds that tries every pattern', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(pattern, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      host,
      (patterns, hasCatchAll, asked) => {
        const sections = patterns.map((each, index) => section(`s${index}`, each));
        const sites = sitesOf((hasCatchAll ? section('all', '') : '') + sections.join(''));
        const matching = patterns
          .map((each, index) => ({ each, name: `s${index}` }))
          .filter(({ each }) =>
            each.startsWith('*.') ? asked.endsWith(each.slice(1)) : asked === each,
          )
          .sort((one, other) => {
            const isWide = ({ each }: typeof one) => Number(each.startsWith('*.'));
            return isWide(one) - isWide(other) || other.each.length - one.each.length;
          });
        const expected = matching[0]?.name ?? (hasCatchAll ? 'all' : undefined);
        assert.equal(nameOf(sites, asked), expected);
      },
    ),
    { numRuns: 300 },
  );
});

/** The origins that the next request to the only site tries, in order, as hosts. */
function triedBy(sites: SiteTable): string[] {
  const site = sites.find(listen, 'a');
  const tried: Origin[] = [];
  for (let next = site?.choose(tried); next !== undefined; next = site?.choose(tried)) {
    tried.push(next);
  }
  return tried.map(({ url }) => url.host);
}

/** The origin that the next request to a host is sent to first. */
function originOf(sites: SiteTable, host = 'a'): Origin {
  const origin = sites.find(listen, host)?.choose([]);
  assert.ok(origin !== undefined);
  return origin;
}

test('origins take turns, and a request can be tried on all of them', () => {
  const sites = sitesOf(section('one', '', 'http://o1.test, http://o2.test:81, https://[::1]'));
  const all = ['[::1]', 'o1.test', 'o2.test:81'];
  const firsts = Array.from({ length: 6 }, () => originOf(sites).url.host);
  assert.deepEqual(firsts.slice(0, 3).sort(), all);
  assert.deepEqual(firsts.slice(3), firsts.slice(0, 3));
  assert.deepEqual(triedBy(sites).sort(), all);
});

test('demo is where the demonstration site listens', () => {
  assert.deepEqual(triedBy(sitesOf(section('one', ''))), ['127.0.0.1:9']);
});

test('an origin that two sites name is one; one that stays configured is kept over a reload', () => {
  const table = makeTable();
  const first = sitesOf(
    section('one', 'one.test', 'http://o.test') + section('two', 'two.test', 'http://o.test'),
    table,
  );
  const kept = originOf(first, 'one.test');
  assert.equal(originOf(first, 'two.test'), kept);
  const more = '[Limits] MaxOriginConnections=7 OriginKeepAlive=9';
  const next = sitesOf(section('three', '', 'http://o.test') + more, table);
  assert.equal(originOf(next), kept);
  assert.equal(kept.connectionsMax, 7);
  assert.equal(kept.idleMs, 9000);
  assert.equal(kept.pool.maxSockets, 7);
  const last = sitesOf(section('three', '', 'http://p.test'), table);
  assert.notEqual(originOf(last), kept);
  assert.equal(kept.pool.maxFreeSockets, 0);
});

test('an origin whose settings change is the same one, with what is known of it', () => {
  const table = makeTable();
  const before = originOf(sitesOf(section('one', '', 'http://o.test'), table));
  for (let times = 0; times < 3; times += 1) before.noteFault('origin_unreachable');
  assert.equal(before.status.state, 'down');
  const changed = section('one', '', 'http://o.test maxconn=5 weight=2', 'FailTimeout=99');
  const after = originOf(sitesOf(changed, table));
  assert.equal(after, before);
  assert.equal(after.connectionsMax, 5);
  assert.equal(after.status.state, 'down');
});

test('an origin that is down is given one request after FailTimeout, and the next goes elsewhere', () => {
  const surroundings = new FakeSurroundings();
  const text = section('one', '', 'http://o.test weight=256, http://p.test', 'MaxFails=1');
  const sites = sitesOf(text, makeTable(surroundings));
  const down = originOf(sites);
  down.noteFault('origin_unreachable');
  const firsts = (count: number) => Array.from({ length: count }, () => originOf(sites));
  assert.ok(!firsts(300).includes(down));
  surroundings.timeMs = 10_000;
  assert.equal(firsts(300).filter((origin) => origin === down).length, 1);
  surroundings.timeMs = 20_000;
  assert.equal(firsts(300).filter((origin) => origin === down).length, 1);
  down.noteHead(200);
  assert.ok(firsts(300).filter((origin) => origin === down).length > 290);
  assert.deepEqual(surroundings.counts, ['origins_left_out', 'origins_back']);
  assert.deepEqual(surroundings.warnings, [
    'origin http://o.test:80 is down: origin_unreachable',
    'origin http://o.test:80 is back',
  ]);
});

test('two sites that want different things of one place have an origin each', () => {
  const table = makeTable();
  const text = (fails: number) =>
    section('one', 'one.test', 'http://o.test', 'MaxFails=5') +
    section('two', 'two.test', 'http://o.test', `MaxFails=${fails}`);
  const sites = sitesOf(text(6), table);
  const [one, two] = [originOf(sites, 'one.test'), originOf(sites, 'two.test')];
  assert.notEqual(one, two);
  const next = sitesOf(text(7), table);
  assert.deepEqual([originOf(next, 'one.test'), originOf(next, 'two.test')], [one, two]);
});

test('http and https of one place are two origins; a name is verified, an address has none', () => {
  const first = (origin: string, more = '') => originOf(sitesOf(section('one', '', origin, more)));
  assert.ok(!(first('http://o.test:443').pool instanceof https.Agent));
  const named = first('https://o.test');
  assert.ok(named.pool instanceof https.Agent && named.fresh instanceof https.Agent);
  assert.equal(named.pool.options.servername, 'o.test');
  assert.equal(named.pool.options.rejectUnauthorized, true);
  const addressed = first('https://192.0.2.1');
  assert.ok(addressed.pool instanceof https.Agent);
  assert.equal(addressed.pool.options.servername, '');
  const renamed = first('https://192.0.2.1', 'OriginServerName=o.test');
  assert.ok(renamed.pool instanceof https.Agent);
  assert.equal(renamed.pool.options.servername, 'o.test');
});

test('who does not verify is warned, site by site', () => {
  const surroundings = new FakeSurroundings();
  const off = 'OriginVerify=0';
  const text =
    section('one', 'one.test', 'https://o.test', off) + section('two', 'two.test', 'http://o', off);
  sitesOf(text, makeTable(surroundings));
  assert.deepEqual(surroundings.warnings, [
    '[Accelerator one] OriginVerify=0: its https origins may be anybody',
  ]);
});

test('the rows for the operator say which site has which origin, and how it is', () => {
  const table = makeTable();
  const text = section('one', '', 'http://o.test weight=3, http://p.test:81 backup', 'MaxFails=1');
  originOf(sitesOf(text, table)).noteFault('origin_closed', new Error('broken'));
  const [first, second] = table.rows();
  assert.deepEqual(first, {
    ...{ site: 'one', origin: 'http://o.test:80', weight: 3, isBackup: false },
    ...{ state: 'down', why: 'origin_closed (broken)', running: 0, waiting: 0, failures: 1 },
  });
  assert.deepEqual(second, {
    ...{ site: 'one', origin: 'http://p.test:81', weight: 1, isBackup: true },
    ...{ state: 'up', why: '', running: 0, waiting: 0, failures: 0 },
  });
});

test('a site trusts the peers that it names, and by default nobody', () => {
  const sites = sitesOf(
    section('one', 'one.test', 'demo', 'TrustedProxies=10.0.0.0/8') + section('two', 'two.test'),
  );
  assert.equal(sites.find(listen, 'one.test')?.trustedProxies.has('10.1.1.1'), true);
  assert.equal(sites.find(listen, 'one.test')?.trustedProxies.has('11.1.1.1'), false);
  assert.equal(sites.find(listen, 'two.test')?.trustedProxies.has('10.1.1.1'), false);
});
