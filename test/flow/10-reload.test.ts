/**
 * SIGHUP takes over a good PROXY.CFG: each kind of setting is in force for the next
 * request, and what was changed on the console stays.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { obey } from '../support/console-lines.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped, sendRaw, statusOf } from '../support/raw.ts';
import { listens, patternSection, taken } from '../support/reload.ts';
import {
  freePort,
  makeWormgate,
  startWormgate,
  until,
  type Wormgate,
} from '../support/wormgate.ts';

const origins = await Promise.all(
  ['first', 'second'].map((name) =>
    startOrigin({ after }, (_request, answer) => answer.end(`${name}\n`)),
  ),
);
const [first = '', second = ''] = origins.map(({ url }) => url);

/** Which of `/NAME.ida` are blocked; the others are served. */
async function blockedOf(wormgate: Wormgate, ...names: string[]): Promise<string[]> {
  const blocked: string[] = [];
  for (const name of names) {
    const answer = await askRaw(wormgate.port, `GET /${name}.ida HTTP/1.1`);
    if (isSlipped(answer)) blocked.push(name);
    else assert.equal(statusOf(answer), 200, answer.text);
  }
  return blocked;
}

test('patterns, mode, action, limits and origin of a new file are in force for the next request', async (t) => {
  const wormgate = await startWormgate(t, {
    origin: first,
    sections: patternSection(['one.ida HTTP/1.1', 'two.ida HTTP/1.1']),
  });
  const ask = (target: string) => askRaw(wormgate.port, `GET ${target} HTTP/1.1`);
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two', 'three'), ['one', 'two']);
  assert.match((await ask('/three.ida')).text, /first/);

  const sections = patternSection(['two.ida HTTP/1.1', 'three.ida HTTP/1']);
  await taken(wormgate, { origin: second, sections });
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two', 'three'), ['two', 'three']);
  assert.match((await ask('/one.ida')).text, /second/);

  const detect = patternSection(['two.ida HTTP/1.1'], 'Mode=detect');
  await taken(wormgate, { origin: second, sections: detect });
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two', 'three'), []);
  await wormgate.logLine(/two\.ida HTTP\/1\.1" 200 7 detect pattern=/);

  const drop = patternSection(['two.ida HTTP/1.1'], 'VirusAction=drop', 'NormalizeRequests=0');
  const limits = { Limits: ['MaxRequestLine=300', 'MaxRequestBody=10'] };
  await taken(wormgate, { origin: second, sections: { ...drop, ...limits } });
  assert.equal(statusOf(await ask('/two.ida')), 400);
  assert.equal(statusOf(await ask('/%74wo.ida')), 200);
  assert.equal(statusOf(await ask(`/${'a'.repeat(300)}`)), 414);
  const upload = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n12345678901';
  assert.equal(statusOf(await sendRaw(wormgate.port, [upload])), 413);

  await taken(wormgate, { origin: second });
  assert.equal(statusOf(await ask('/two.ida')), 200);
  assert.equal(statusOf(await ask(`/${'a'.repeat(300)}`)), 200);
  assert.equal(await wormgate.counter('reloads'), 4);
  assert.equal(await wormgate.counter('reloads_refused'), 0);
});

test('PatternFiles come, change and go', async (t) => {
  const wormgate = await makeWormgate(t);
  const write = (file: string, ...names: string[]) => {
    const lines = names.map((name) => `virus add -p "${name}.ida HTTP/1.1" -o 5\n`);
    writeFileSync(join(wormgate.folder, file), lines.join(''));
  };
  const files = (names: string) => ({
    origin: first,
    sections: { 'Virus Pattern Configuration': [`PatternFiles=${names}`] },
  });
  const blocked = () => blockedOf(wormgate, 'one', 'two', 'six', 'ten');
  write('a.ncf', 'one', 'two');
  write('b.ncf', 'two', 'six');
  wormgate.configure(files('a.ncf'));
  await wormgate.start();
  assert.deepEqual(await blocked(), ['one', 'two']);
  await taken(wormgate, files('a.ncf, b.ncf'));
  assert.deepEqual(await blocked(), ['one', 'two', 'six']);
  write('b.ncf', 'six', 'ten');
  await taken(wormgate);
  assert.deepEqual(await blocked(), ['one', 'two', 'six', 'ten']);
  await taken(wormgate, files('b.ncf'));
  assert.deepEqual(await blocked(), ['six', 'ten']);
  await taken(wormgate, { origin: first });
  assert.deepEqual(await blocked(), []);
});

test('ScanVirusPatterns=0 ends screening and the console, and 1 brings both back', async (t) => {
  const sections = patternSection(['one.ida HTTP/1.1']);
  const wormgate = await startWormgate(t, { origin: first, sections });
  await obey(wormgate, 'virus add -p "two.ida HTTP/1.1" -o 5');
  const off = { 'Extra Configuration': ['ScanVirusPatterns=0'], ...sections };
  await taken(wormgate, { origin: first, sections: off });
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two'), []);
  await assert.rejects(obey(wormgate, 'virus list'), /virus command not found/);
  await taken(wormgate, { origin: first, sections });
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two'), ['one', 'two']);
});

test('NeverBlock and TrustedProxies of a new file are in force for the next request', async (t) => {
  const names = ['one.ida HTTP/1.1', 'two.ida HTTP/1.1'];
  const wormgate = await startWormgate(t, { origin: first, sections: patternSection(names) });
  const blocked = () => blockedOf(wormgate, 'one', 'two');
  assert.deepEqual(await blocked(), ['one', 'two']);
  const paths = patternSection(names, 'NeverBlock=path:/two');
  await taken(wormgate, { origin: first, sections: paths });
  assert.deepEqual(await blocked(), ['one']);
  const addresses = patternSection(names, 'NeverBlock=127.0.0.0/8');
  await taken(wormgate, { origin: first, sections: addresses });
  assert.deepEqual(await blocked(), []);

  const forwarded = 'X-Forwarded-For: 192.0.2.7\r\n';
  await taken(wormgate, {
    origin: first,
    sections: addresses,
    accelerator: ['TrustedProxies=127.0.0.1/32'],
  });
  const dropped = await askRaw(wormgate.port, 'GET /one.ida HTTP/1.1', forwarded);
  assert.equal(statusOf(dropped), 400, 'the client is not the proxy, and the proxy is told');
  await wormgate.logLine(/^192\.0\.2\.7 .*\/one\.ida HTTP\/1\.1" 400 \d+ pattern=/);
  await taken(wormgate, { origin: first, sections: patternSection(names) });
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /two.ida HTTP/1.1', forwarded)));
  await wormgate.logLine(/^127\.0\.0\.1 .*\/two\.ida HTTP\/1\.1" - - pattern=/);
});

test('what the console changed survives a reload and a kill -9, and a shipped pattern stays deleted', async (t) => {
  const wormgate = await startWormgate(t, {
    origin: first,
    sections: patternSection(['one.ida HTTP/1.1', 'two.ida HTTP/1.1']),
  });
  await obey(
    wormgate,
    'virus add -p "six.ida HTTP/1.1" -o 9',
    'virus del -p "one.ida HTTP/1.1" -o 5',
    'virus add -k cmd.exe',
    'virus -t 300',
  );
  const check = async () => {
    assert.deepEqual(await blockedOf(wormgate, 'one', 'two', 'six', 'ten'), ['six', 'ten']);
    const told = (await obey(wormgate, 'virus show', 'virus list -k')).join('\n');
    assert.match(told, /^Hit Threshold: 300 \(PROXY\.CFG: 260\)$/m);
    assert.match(told, /^"cmd\.exe" +console/m);
  };
  const sections = patternSection(['one.ida HTTP/1.1', 'ten.ida HTTP/1.1'], 'HitThreshold=260');
  await taken(wormgate, { origin: first, sections });
  await check();
  await wormgate.stop('SIGKILL');
  await wormgate.start();
  await check();
  // Taken out of the file and put back, it is still deleted.
  await taken(wormgate, { origin: first });
  await taken(wormgate, { origin: first, sections });
  await check();
  await obey(wormgate, 'virus add -p "one.ida HTTP/1.1" -o 5');
  await taken(wormgate, { origin: first, sections: patternSection([]) });
  assert.deepEqual(await blockedOf(wormgate, 'one', 'two', 'six', 'ten'), ['one', 'six']);
});

test('listen addresses and hosts come and go', async (t) => {
  const extra = await freePort();
  const wormgate = await startWormgate(t, { origin: first });
  const host = async (port: number, name: string) =>
    (await sendRaw(port, [`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`])).text;
  assert.equal(await listens(extra), false);
  await taken(wormgate, {
    sections: {
      'Accelerator test': [
        `Listen=127.0.0.1:${wormgate.port}, 127.0.0.1:${extra}`,
        `Origin=${first}`,
        'Hosts=a.test',
      ],
      'Accelerator more': [`Listen=127.0.0.1:${extra}`, `Origin=${second}`, 'Hosts=*.b.test'],
    },
  });
  assert.match(await host(wormgate.port, 'a.test'), /first/);
  assert.match(await host(extra, 'A.test:80'), /first/);
  assert.match(await host(extra, 'x.b.test'), /second/);
  assert.match(await host(wormgate.port, 'x.b.test'), /^HTTP\/1\.1 421 /);
  await taken(wormgate, {
    sections: { 'Accelerator test': [`Listen=127.0.0.1:${extra}`, `Origin=${second}`] },
  });
  assert.match(await host(extra, 'anything.test'), /second/);
  await until(async () => !(await listens(wormgate.port)));
  await taken(wormgate, { origin: first });
  assert.match(await host(wormgate.port, 'anything.test'), /first/);
  await until(async () => !(await listens(extra)));
});

test('the admin server moves, and can be switched off and on', async (t) => {
  const wormgate = await startWormgate(t, { origin: first });
  const extra = await freePort();
  await taken(wormgate, { origin: first, sections: { Admin: [`Listen=127.0.0.1:${extra}`] } });
  assert.equal(await listens(wormgate.adminPort), false);
  const health = await fetch(`http://127.0.0.1:${extra}/healthz`);
  assert.equal(await health.text(), 'ok\n');
  await taken(wormgate, { origin: first, sections: { Admin: ['Listen='] } });
  assert.equal(await listens(extra), false);
  await taken(wormgate, { origin: first });
  assert.equal(await wormgate.counter('reloads'), 3);
});
