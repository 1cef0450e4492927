/** SIGHUP with a PROXY.CFG that cannot be taken over: every reason is told, and nothing changes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped } from '../support/raw.ts';
import { listens, patternSection, refused, taken } from '../support/reload.ts';
import { freePort, startWormgate, type Wormgate } from '../support/wormgate.ts';

const origins = await Promise.all(
  ['first', 'second'].map((name) =>
    startOrigin({ after }, (_request, answer) => answer.end(`${name}\n`)),
  ),
);
const [first = '', second = ''] = origins.map(({ url }) => url);
const before = { origin: first, sections: patternSection(['one.ida HTTP/1.1']) };

/** The settings that were in force are in force. */
async function checkUnchanged(wormgate: Wormgate, refusedCount: number): Promise<void> {
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /one.ida HTTP/1.1')));
  assert.match((await askRaw(wormgate.port, 'GET /two.ida HTTP/1.1')).text, /first/);
  assert.equal(await wormgate.counter('reloads_refused'), refusedCount);
  assert.equal(await wormgate.counter('reloads'), 0);
}

test('a bad file changes nothing, and every fault of it is told with its line', async (t) => {
  const wormgate = await startWormgate(t, before);
  const lines = [
    '[Extra Configuration]',
    'ScanVirusPatterns=2',
    '[Accelerator a]',
    `Listen=127.0.0.1:${wormgate.port}`,
    'Origin=demo',
    'Colour=red',
    '[Virus Pattern Configuration]',
    'PatternFiles=/no/such.ncf',
    '[Limits]',
    'DrainSeconds=-1',
  ];
  writeFileSync(wormgate.configFile, lines.join('\n'));
  const told = await refused(wormgate);
  const places = told.map((line) => line.slice(0, line.indexOf(': [')));
  const expected = [2, 6, 8, 10].map((line) => `wormgate: ${wormgate.configFile}:${line}`);
  assert.deepEqual(places, expected, told.join('\n'));
  await checkUnchanged(wormgate, 1);
  rmSync(wormgate.configFile);
  const [sentence = '', ...more] = await refused(wormgate);
  assert.deepEqual(more, []);
  assert.match(sentence, /PROXY\.CFG.*no such file/);
  await checkUnchanged(wormgate, 2);
});

test('a new port that is taken changes nothing, whatever else the file says', async (t) => {
  const wormgate = await startWormgate(t, before);
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const bound = squatter.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const free = await freePort();
  const other = await freePort();
  const files: Record<string, readonly string[]>[] = [
    {
      Admin: [`Listen=127.0.0.1:${port}`],
      'Accelerator new': [`Listen=127.0.0.1:${free}`, `Origin=${second}`],
    },
    {
      Admin: [`Listen=127.0.0.1:${other}`],
      'Accelerator new': [`Listen=127.0.0.1:${free}`, `Origin=${second}`],
      'Accelerator taken': [`Listen=127.0.0.1:${port}`, `Origin=${second}`],
    },
  ];
  for (const [index, file] of files.entries()) {
    const sections = { ...file, ...patternSection(['two.ida HTTP/1.1']) };
    const told = await refused(wormgate, { origin: second, sections });
    const place = `127.0.0.1:${port}`;
    assert.deepEqual(told, [
      `wormgate: cannot listen on ${place}: it is taken; something listens there already`,
    ]);
    await checkUnchanged(wormgate, index + 1);
    assert.deepEqual([await listens(free), await listens(other)], [false, false]);
  }
  await taken(wormgate, { origin: second });
  assert.match((await askRaw(wormgate.port, 'GET /one.ida HTTP/1.1')).text, /second/);
});

test('a log that cannot be opened changes nothing, and is not asked for again', async (t) => {
  const wormgate = await startWormgate(t, before);
  const path = '/no/such/folder/PROXY.LOG';
  for (const key of ['ProxyLog', 'ConsoleLog']) {
    const sections = { ...patternSection(['two.ida HTTP/1.1']), Log: [`${key}=${path}`] };
    const told = await refused(wormgate, { origin: second, sections });
    assert.equal(told.length, 1, told.join('\n'));
    assert.ok(told[0]?.startsWith(`wormgate: cannot open the log file ${path}: `), told[0]);
  }
  await checkUnchanged(wormgate, 2);
  await wormgate.logLine(/\/two\.ida/);
  await taken(wormgate, { origin: second });
});

test('what needs a restart is refused by name, and nothing changes', async (t) => {
  const wormgate = await startWormgate(t, before);
  const told = await refused(wormgate, {
    origin: second,
    sections: {
      ...patternSection([], 'PatternSize=8', 'PatternStartOffset=2'),
      Limits: ['MaxHeaderBytes=20000'],
    },
  });
  assert.deepEqual(
    told.map((line) => line.replace(/stays \d+; the new value/, 'stays; the new value')),
    ['PatternSize 8', 'PatternStartOffset 2', 'MaxHeaderBytes 20000'].map((each) => {
      const [key, value] = each.split(' ');
      return `wormgate: ${key} stays; the new value ${value} needs a restart.`;
    }),
  );
  await checkUnchanged(wormgate, 1);
  await wormgate.stop();
  await wormgate.start();
  assert.match((await askRaw(wormgate.port, 'GET /one.ida HTTP/1.1')).text, /second/);
});
