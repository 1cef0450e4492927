import assert from 'node:assert/strict';
import https from 'node:https';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatFault, loadSettings } from '../../../src/config/load.ts';
import { listenKey, OriginTable, type SiteTable } from '../../../src/upstream/origins.ts';

const demo = { host: '127.0.0.1', port: 9 };

/** The sites of a PROXY.CFG. */
function sitesOf(text: string, table = new OriginTable(() => {})): SiteTable {
  const loaded = loadSettings('PROXY.CFG', () => Buffer.from(text, 'latin1'));
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'));
  const { accelerators, limits } = loaded.settings;
  return table.sitesFor(accelerators, limits, demo);
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

/** The origins of the only site, as URLs, in the order in which the next request tries them. */
function rotationOf(sites: SiteTable): string[] {
  return (
    sites
      .find(listen, 'a')
      ?.rotation()
      .map(({ url }) => url.host) ?? []
  );
}

test('origins take turns, and each turn has all of them', () => {
  const sites = sitesOf(section('one', '', 'http://o1.test, http://o2.test:81, https://[::1]'));
  assert.deepEqual(rotationOf(sites), ['o1.test', 'o2.test:81', '[::1]']);
  assert.deepEqual(rotationOf(sites), ['o2.test:81', '[::1]', 'o1.test']);
  assert.deepEqual(rotationOf(sites), ['[::1]', 'o1.test', 'o2.test:81']);
  assert.deepEqual(rotationOf(sites), ['o1.test', 'o2.test:81', '[::1]']);
});

test('demo is where the demonstration site listens', () => {
  assert.deepEqual(rotationOf(sitesOf(section('one', ''))), ['127.0.0.1:9']);
});

test('an origin that two sites name is one; one that stays configured is kept over a reload', () => {
  const table = new OriginTable(() => {});
  const first = sitesOf(
    section('one', 'one.test', 'http://o.test') + section('two', 'two.test', 'http://o.test'),
    table,
  );
  const kept = first.find(listen, 'one.test')?.rotation()[0];
  assert.ok(kept !== undefined);
  assert.equal(first.find(listen, 'two.test')?.rotation()[0], kept);
  const limits = '[Limits] MaxOriginConnections=7';
  const next = sitesOf(section('three', '', 'http://o.test, http://p.test') + limits, table);
  assert.equal(next.find(listen, 'a')?.rotation()[0], kept);
  assert.equal(kept.pool.maxSockets, 7);
  const last = sitesOf(section('three', '', 'http://p.test'), table);
  assert.notEqual(last.find(listen, 'a')?.rotation()[0], kept);
  assert.equal(kept.pool.maxFreeSockets, 0);
  table.close();
});

test('http and https of one place are two origins; a name is verified, an address has none', () => {
  const sites = sitesOf(section('one', '', 'http://o.test:443, https://o.test, https://192.0.2.1'));
  const [plain, named, addressed] = sites.find(listen, 'a')?.rotation() ?? [];
  assert.ok(!(plain?.pool instanceof https.Agent));
  assert.ok(named?.pool instanceof https.Agent && named.fresh instanceof https.Agent);
  assert.notEqual(plain?.queue, named.queue);
  assert.equal(named.pool.options.servername, 'o.test');
  assert.ok(addressed?.pool instanceof https.Agent);
  assert.equal(addressed.pool.options.servername, '');
});

test('a site trusts the peers that it names, and by default nobody', () => {
  const sites = sitesOf(
    section('one', 'one.test', 'demo', 'TrustedProxies=10.0.0.0/8') + section('two', 'two.test'),
  );
  assert.equal(sites.find(listen, 'one.test')?.trustedProxies.has('10.1.1.1'), true);
  assert.equal(sites.find(listen, 'one.test')?.trustedProxies.has('11.1.1.1'), false);
  assert.equal(sites.find(listen, 'two.test')?.trustedProxies.has('10.1.1.1'), false);
});
