/** Virus sources: who is blocked, on both lanes, and how it is told and taken back. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { H2Client } from '../support/h2-client.ts';
import { startOrigin } from '../support/origin.ts';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { missing, startSourceRig, untilTold } from '../support/source-rig.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { until } from '../support/wormgate.ts';

const isAll = (statuses: readonly number[], status: number) =>
  statuses.every((each) => each === status);

for (const fastPath of [1, 0]) {
  describe(`with FastPath=${fastPath}`, async () => {
    const extra = ['ScanVirusPatterns=1', `FastPath=${fastPath}`];
    const rig = await startSourceRig({ after }, { sections: { 'Extra Configuration': extra } });
    const { wormgate } = rig;
    const blocked = () => /^(\d+) blocked/.exec(wormgate.virus('sources').stdout)?.[1];

    test('five different misses block all requests of their source, and nobody else', async () => {
      const statuses = await rig.ask('127.1.0.1', [...missing(4), ...missing(4), '/page']);
      assert.deepEqual(statuses, [...Array<number>(8).fill(404), 200]);
      assert.deepEqual(await rig.ask('127.1.0.1', ['/fifth', '/page', '/']), [404, 0, 0]);
      assert.deepEqual(await rig.ask('127.1.0.2', ['/page']), [200]);
      const miss = await wormgate.logLine(/^127\.1\.0\.1 .*\/fifth /);
      assert.match(miss, / 404 2 miss id=\S+$/);
      const slip = await wormgate.logLine(/^127\.1\.0\.1 .*"GET \/page HTTP\/1\.1" - -/);
      assert.match(slip, / - - reason=source misses=5 viruses=0 id=\S+$/);
      await wormgate.logLine(/^\[virus sources\] .* Blocked for 600 s: 127\.1\.0\.1, misses=5/);
      assert.equal(await wormgate.counter('sources_blocked'), 1);
      assert.equal(await wormgate.counter('source_requests'), 2);
      assert.equal(await wormgate.counter('requests_slipped'), 2);
      assert.equal(await wormgate.counter('virus_requests'), 0);
      assert.match(wormgate.stderr, /127\.1\.0\.1 was blocked .* TrustedProxies/);
    });

    test('the console tells why, by the ids of PROXY.LOG, and forgives', async () => {
      const list = wormgate.virus('sources').stdout;
      assert.match(list, /^1 blocked, 0 watched\.\n/);
      assert.match(list, /\n127\.1\.0\.1 +\S+Z +misses +5 +0 +1 +2\n/);
      const shown = wormgate.virus('source', '127.1.0.1').stdout;
      assert.match(shown, /^127\.1\.0\.1 is blocked from \S+ until \S+ because of misses/);
      const id = / id=(\S+)$/.exec(await wormgate.logLine(/\/fifth /))?.[1] ?? '?';
      assert.ok(shown.includes(` ${id} `) && shown.includes('"/fifth"'), shown);
      const forgiven = wormgate.virus('forgive', '127.1.0.1');
      assert.equal(forgiven.code, 0);
      assert.deepEqual(await rig.ask('127.1.0.1', ['/page']), [200]);
      assert.match(wormgate.virus('source', '127.1.0.1').stderr, /is not known/);
      assert.notEqual(wormgate.virus('forgive', '127.1.0.1').code, 0);
      assert.match(wormgate.virus('source', 'nonsense').stderr, /is no IP address/);
    });

    test('the operator blocks for so long, and no longer', async () => {
      assert.equal(wormgate.virus('block', '127.1.0.3', '-s', '3600').code, 0);
      assert.deepEqual(await rig.ask('127.1.0.3', ['/page']), [0]);
      await wormgate.logLine(/^127\.1\.0\.3 .* - - reason=source by=console id=/);
      wormgate.virus('block', '127.1.0.3', '-s', '1');
      await until(async () => (await rig.ask('127.1.0.3', ['/page']))[0] === 200);
    });

    test('a page with 30 missing pictures blocks nobody', async () => {
      const referer = 'Referer: http://site.test/page\r\n';
      assert.deepEqual(await rig.ask('127.1.0.4', ['/page']), [200]);
      assert.ok(isAll(await rig.ask('127.1.0.4', missing(30, '/picture'), referer), 404));
      assert.deepEqual(await rig.ask('127.1.0.4', ['/page']), [200]);
      assert.ok((await wormgate.counter('misses_referred')) >= 30);
    });

    test('ten dead links from pages of this site, in a minute, block nobody', async () => {
      for (const [index, target] of missing(10, '/dead').entries()) {
        const referer = `Referer: http://site.test/${index % 2 === 0 ? '' : 'page?p=2'}\r\n`;
        assert.deepEqual(await rig.ask('127.1.0.5', ['/', '/page']), [200, 200]);
        assert.deepEqual(await rig.ask('127.1.0.5', [target], referer), [404]);
      }
      assert.deepEqual(await rig.ask('127.1.0.5', ['/page']), [200]);
    });

    test('fifty readers behind one address are not blocked for what browsers ask for, and a typo', async () => {
      const reads = Array.from({ length: 50 }, async (_, reader) => {
        const statuses = await rig.ask('127.1.0.6', ['/', '/favicon.ico', '/apple-touch-icon.png']);
        const referer = 'Referer: http://site.test/\r\n';
        await rig.ask('127.1.0.6', ['/style.css', `/old-${reader % 10}.png`], referer);
        if (reader % 25 === 0) await rig.ask('127.1.0.6', [`/tpyo-${reader}`]);
        return statuses;
      });
      for (const statuses of await Promise.all(reads)) assert.deepEqual(statuses, [200, 404, 404]);
      assert.deepEqual(await rig.ask('127.1.0.6', ['/page']), [200]);
    });

    test('a deploy that breaks every page for a minute blocks nobody', async () => {
      const all = missing(40, '/article');
      for (const page of all) rig.pages.add(page);
      assert.ok(isAll(await rig.ask('127.1.0.7', all), 200));
      const pages = [...rig.pages];
      rig.pages.clear();
      for (const address of ['127.1.0.7', '127.1.0.8', '127.1.0.9']) {
        assert.ok(isAll(await rig.ask(address, pages), 404));
      }
      for (const page of pages) rig.pages.add(page);
      assert.ok(isAll(await rig.ask('127.1.0.8', pages), 200));
    });

    test('10,000 made-up X-Forwarded-For of a peer that is not trusted change nothing', async () => {
      const before = blocked();
      const client = await RawClient.connect(wormgate.port, '127.1.0.10');
      for (let round = 0; round < 100; round += 1) {
        const requests = Array.from({ length: 100 }, (_, index) => {
          const address = `198.18.${round}.${index + 1}`;
          return `GET /page HTTP/1.1\r\nHost: site.test\r\nX-Forwarded-For: ${address}\r\n\r\n`;
        });
        client.send(requests.join(''));
        for (const _ of requests) assert.equal((await client.answer()).status, 200);
      }
      client.destroy();
      assert.equal(blocked(), before);
      const named = 'X-Forwarded-For: 198.18.0.1\r\n';
      assert.deepEqual(
        (await rig.ask('127.1.0.10', [...missing(5), '/page'], named)).slice(4),
        [404, 0],
      );
      assert.match(wormgate.virus('source', '198.18.0.1').stderr, /is not known/);
    });
  });
}

test('with Mode=detect nobody is blocked, and PROXY.LOG says who would be', async (t) => {
  const sections = { 'Virus Pattern Configuration': ['Mode=detect'] };
  const { wormgate, ask } = await startSourceRig(t, { sections });
  assert.deepEqual((await ask('127.1.0.1', [...missing(5), '/page'])).slice(4), [404, 200]);
  const line = await wormgate.logLine(/"GET \/page /);
  assert.match(line, / 200 2 detect reason=source misses=5 viruses=0 id=\S+$/);
  await wormgate.logLine(/^\[virus sources\] .* Mode=detect; would be blocked for 600 s/);
  assert.equal(await wormgate.counter('requests_detected'), 1);
});

test('two virus requests block their source, and are logged by their pattern', async (t) => {
  const pattern = ['NoOfVirusPatterns=1', 'Pattern1="virus.exe HTTP/1",19', 'VirusAction=drop'];
  const sections = { 'Virus Pattern Configuration': pattern };
  const { wormgate, ask } = await startSourceRig(t, { sections });
  assert.deepEqual(
    await ask('127.1.0.1', ['/page', '/virus.exe', '/page', '/virus.exe', '/page', '/virus.exe']),
    [200, 400, 200, 400, 400, 400],
  );
  await wormgate.logLine(/"GET \/page HTTP\/1\.1" 400 \d+ reason=source misses=0 viruses=2 id=/);
  const lines = wormgate
    .log()
    .split('\n')
    .filter((line) => /pattern="virus\.exe/.test(line));
  assert.equal(lines.length, 3);
  assert.match(wormgate.virus('source', '127.1.0.1').stdout, /virus request +"virus\.exe HTTP\/1"/);
});

test('what NeverBlock and TrustedProxies name is never blocked, by nobody', async (t) => {
  const { wormgate, ask } = await startSourceRig(t, {
    accelerator: ['TrustedProxies=127.2.0.0/16'],
    sections: { 'Virus Pattern Configuration': ['NeverBlock=127.1.0.1, path:/open/'] },
  });
  for (const address of ['127.1.0.1', '127.2.0.1']) {
    const statuses = await ask(address, [...missing(20), '/page']);
    assert.deepEqual(statuses.slice(-1), [200], address);
    const refused = wormgate.virus('block', address);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /NeverBlock|TrustedProxies/);
  }
  const named = 'X-Forwarded-For: 203.0.113.7\r\n';
  assert.deepEqual((await ask('127.2.0.1', [...missing(5), '/page'], named)).slice(-2), [404, 400]);
  assert.deepEqual(await ask('127.2.0.1', ['/page'], 'X-Forwarded-For: 203.0.113.8\r\n'), [200]);
  assert.deepEqual((await ask('127.1.0.5', [...missing(9, '/open/x'), '/page'])).slice(-1), [200]);
});

test('a miss that holds a keyword is learned at once, and blocks whoever sends it', async (t) => {
  const virus = ['EnablePatternAutoUpdate=1'];
  const { wormgate, ask } = await startSourceRig(t, {
    sections: { 'Virus Pattern Configuration': virus },
  });
  wormgate.virus('add', '-k', 'eval-stdin');
  const target = '/phpunit/eval-stdin.php';
  await until(async () => (await ask('127.1.0.1', [`${target}?${Math.random()}`]))[0] !== 404);
  assert.match(wormgate.virus('list').stdout, /"phpunit\/eval-std"\s+\d+\s+miss\(eval-stdin\)/);
  await wormgate.logLine(
    /\[auto update\] .* Refused by an origin and never served, with the keyword/,
  );
  assert.deepEqual(await ask('127.1.0.2', ['/phpunit/eval-stderr.php']), [0]);
});

test('a reload changes the rules, and SourceBlocking=0 lets everybody go', async (t) => {
  const { wormgate, ask } = await startSourceRig(t, {
    sections: { 'Virus Sources': ['MissLimit=2', 'Crawlers='] },
  });
  assert.deepEqual(await ask('127.1.0.1', ['/a', '/b', '/page']), [404, 404, 0]);
  const lines = readFileSync(wormgate.configFile, 'latin1');
  writeFileSync(wormgate.configFile, lines.replace('MissLimit=2', 'SourceBlocking=0'));
  wormgate.signal('SIGHUP');
  await until(() => wormgate.stderr.includes('was read again'));
  assert.deepEqual(await ask('127.1.0.1', ['/page', '/c', '/d', '/page']), [200, 404, 404, 200]);
  assert.match(wormgate.virus('block', '127.1.0.1').stderr, /SourceBlocking=0/);
});

test('over HTTP/2 misses count alike, and those that a page led to do not', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const origin = await startOrigin(t, (req, res) => {
    res.writeHead(req.url === '/page' ? 200 : 404, { 'Content-Length': '2' }).end('ok');
  });
  const { wormgate, tlsPort } = await startTlsWormgate(t, {
    origin: origin.url,
    sections: { 'Virus Sources': ['Crawlers='] },
  });
  const client = await H2Client.connect(t, tlsPort);
  const ask = async (path: string, fields = {}) =>
    (await client.ask({ ':method': 'GET', ':path': path, ...fields })).status;
  assert.equal(await ask('/page'), 200);
  const referer = 'https://site.test/page';
  for (const path of missing(30, '/picture')) assert.equal(await ask(path, { referer }), 404);
  for (const path of missing(5)) assert.equal(await ask(path), 404);
  await untilTold(wormgate);
  await assert.rejects(ask('/page'));
  assert.equal(await wormgate.counter('misses_referred'), 30);
  assert.equal(await wormgate.counter('source_requests'), 1);
});
