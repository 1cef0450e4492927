/** What the console answers about virus sources. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine } from '../../../src/admin/grammar.ts';
import { answerSourceCommand, type SourceConsole } from '../../../src/admin/source-commands.ts';
import { Sources } from '../../../src/virus/sources.ts';

const rules = {
  ...{ missLimit: 5, missIntervalMs: 60_000, virusLimit: 2 },
  ...{ blockMs: 600_000, blockMsMax: 86_400_000, sourcesMax: 1000 },
};
const nowMs = 1_700_000_000_000;

function consoleOf(sources: Sources, changed: Partial<SourceConsole> = {}): SourceConsole {
  return {
    isWatching: () => true,
    list: () => sources.entries(),
    counts: () => ({
      blocked: sources.blockedCount,
      watched: sources.size - sources.blockedCount,
    }),
    find: (address) => sources.get(address, nowMs),
    objection: () => undefined,
    block: async (address, seconds = 600) =>
      sources.block(address, 'console', nowMs, seconds * 1000),
    forgive: async (address) => sources.forgive(address),
    read: (text) => (text === 'nobody' ? undefined : text),
    ...changed,
  };
}

async function typed(line: string, on: SourceConsole): Promise<{ ok: boolean; text: string }> {
  const parsed = parseLine(line);
  if (!parsed.ok) return { ok: false, text: parsed.message };
  return await answerSourceCommand(parsed.command, on, nowMs);
}

function filled(): Sources {
  const sources = new Sources(rules);
  const miss = { path: '/a "b"', status: 404, atMs: nowMs - 2000, requestId: 'x-1', hash: 1 };
  sources.noteMiss('192.0.2.1', miss);
  sources.noteVirus('192.0.2.1', { matched: 'cmd.exe', atMs: nowMs - 1000, requestId: 'x-2' });
  sources.block('192.0.2.2', 'viruses', nowMs - 1000);
  return sources;
}

test('sources are listed, the blocked ones first, as many as asked for', async () => {
  const on = consoleOf(filled());
  assert.equal(
    (await typed('virus sources', on)).text,
    [
      '1 blocked, 1 watched.',
      'ADDRESS    BLOCKED UNTIL         WHY             MISSES  VIRUS REQUESTS  TIMES BLOCKED  REQUESTS STOPPED',
      '192.0.2.2  2023-11-14T22:23:19Z  virus requests       0               0              1                 0',
      '192.0.2.1  -                     -                    1               1              0                 0',
    ].join('\n'),
  );
  assert.match((await typed('virus sources -n 1', on)).text, /\n192\.0\.2\.2 .*\nAnd 1 more\.$/);
  const none = consoleOf(new Sources(rules), { isWatching: () => false });
  assert.equal(
    (await typed('virus sources', none)).text,
    '0 blocked, 0 watched. SourceBlocking=0: nobody is watched or blocked.',
  );
});

test('a source is shown with what counts, by time', async () => {
  assert.equal(
    (await typed('virus source 192.0.2.1', consoleOf(filled()))).text,
    [
      '192.0.2.1 is watched.',
      'TIME                  REQUEST ID  WHAT           PATH OR PATTERN',
      '2023-11-14T22:13:18Z  x-1         miss, 404      "/a \\"b\\""',
      '2023-11-14T22:13:19Z  x-2         virus request  "cmd.exe"',
    ].join('\n'),
  );
});

test('blocking and forgiving are told, and refused with a sentence', async () => {
  const sources = filled();
  const on = consoleOf(sources);
  const blocked = await typed('virus block 192.0.2.3 -s 60', on);
  assert.deepEqual(blocked, { ok: true, text: 'Blocked 192.0.2.3 until 2023-11-14T22:14:20Z.' });
  assert.ok((await typed('virus block -s 60 192.0.2.3', on)).ok);
  assert.ok((await typed('virus forgive 192.0.2.3', on)).ok);
  assert.equal((await typed('virus forgive 192.0.2.3', on)).ok, false);
  assert.match((await typed('virus block nobody', on)).text, /"nobody" is no IP address/);
  assert.match((await typed('virus block', on)).text, /the address is missing/);
  assert.match((await typed('virus block 192.0.2.3 -s 0', on)).text, /-s takes an integer from 1/);
  const objecting = consoleOf(sources, { objection: () => 'It is in NeverBlock.' });
  assert.deepEqual(await typed('virus block 192.0.2.3', objecting), {
    ok: false,
    text: 'It is in NeverBlock.',
  });
  const off = consoleOf(sources, { isWatching: () => false });
  assert.equal((await typed('virus block 192.0.2.3', off)).ok, false);
});
