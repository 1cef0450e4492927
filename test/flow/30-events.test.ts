/** Events of a whole wormgate: as lines in a file. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { patternSection, reload } from '../support/reload.ts';
import { freePort, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

type Event = Readonly<Record<string, unknown>>;

function eventsIn(wormgate: Wormgate, name = 'events.jsonl'): Event[] {
  const file = join(wormgate.dataFolder, name);
  const text = existsSync(file) ? readFileSync(file, 'latin1') : '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const patterns = patternSection(['evil.exe HTTP/1.', 'evil.exe?<script']);

/** Sends each request on a connection of its own, and waits for its end. */
async function send(wormgate: Wormgate, ...lines: string[]): Promise<void> {
  for (const line of lines) {
    const client = await RawClient.connect(wormgate.port);
    client.send(Buffer.from(`${line}\r\nHost: a\r\n\r\n`, 'latin1'));
    await client.end();
  }
}

for (const fastPath of ['1', '0']) {
  test(`FastPath=${fastPath}: blocked requests are events, whatever bytes they hold`, async (t) => {
    const wormgate = await startWormgate(t, {
      sections: {
        'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
        ...patterns,
        Events: ['EventLog=events.jsonl'],
      },
    });
    const nasty = `GET /evil.exe?<script>'"&%0a%1b[2J HTTP/1.1`;
    // A broken line is no virus request, whatever it holds.
    const broken = 'GET /evil.exe?<script>\x1b\xff HTTP/1.1';
    await send(wormgate, 'GET /evil.exe HTTP/1.1', broken, nasty);
    await until(() => eventsIn(wormgate).length === 2);
    const [first, second] = eventsIn(wormgate);
    assert.deepEqual(Object.keys(first ?? {}), [
      ...['time', 'kind', 'client', 'request', 'action', 'pattern', 'keyword', 'from', 'id'],
    ]);
    assert.equal(first?.kind, 'blocked');
    assert.equal(first?.client, '127.0.0.1');
    assert.equal(first?.request, 'GET /evil.exe HTTP/1.1');
    assert.equal(first?.action, 'slip');
    assert.equal(first?.pattern, 'evil.exe HTTP/1.');
    assert.equal(first?.keyword, null);
    assert.match(wormgate.log(), new RegExp(`id=${first?.id}\n`));
    assert.equal(second?.request, nasty);
    const text = readFileSync(join(wormgate.dataFolder, 'events.jsonl'), 'latin1');
    assert.match(text, /^[\x20-\x7e\n]*$/);
    assert.doesNotMatch(text, /[<>&']/);
  });
}

test('beyond EventsPerSecond one event says how many there were', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: {
      ...patterns,
      Events: ['EventLog=events.jsonl', 'EventsPerSecond=2'],
    },
  });
  await send(wormgate, ...Array.from({ length: 10 }, () => 'GET /evil.exe HTTP/1.1'));
  const omitted = () =>
    eventsIn(wormgate).reduce((sum, event) => sum + Number(event.omitted ?? 0), 0);
  await until(async () => (await wormgate.counter('events_omitted')) === omitted());
  const whole = eventsIn(wormgate).filter(({ omitted: count }) => count === undefined);
  assert.equal(whole.length + omitted(), 10);
  assert.ok(omitted() >= 1);
  assert.equal(await wormgate.counter('events'), eventsIn(wormgate).length);
});

test('suspects, what was learned or proposed of them, and origins are events', async (t) => {
  const dead = await freePort();
  const wormgate = await startWormgate(t, {
    origin: `http://127.0.0.1:${dead}, http://127.0.0.1:${await freePort()}`,
    accelerator: ['MaxFails=1', 'FailTimeout=60'],
    sections: {
      'Virus Pattern Configuration': [
        ...['EnablePatternAutoUpdate=1', 'HitThreshold=1', 'AutoUpdateAction=propose'],
      ],
      Events: ['EventLog=events.jsonl'],
    },
  });
  wormgate.virus('add', '-k', 'cmd.exe');
  const kinds = () => new Set(eventsIn(wormgate).map(({ kind }) => kind));
  await send(wormgate, ...Array.from({ length: 3 }, () => 'GET /unheard/cmd.exe HTTP/1.0'));
  await until(
    () => kinds().has('suspect') && kinds().has('origin'),
    5000,
    () => JSON.stringify(eventsIn(wormgate)),
  );
  const origin = eventsIn(wormgate).find(({ kind }) => kind === 'origin');
  assert.equal(origin?.state, 'down');
  assert.match(String(origin?.origin), /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(String(origin?.why), /^origin_unreachable/);
  const suspect = eventsIn(wormgate).find(({ kind }) => kind === 'suspect');
  assert.equal(suspect?.pattern, 'unheard/cmd.exe ');
});

test('a reload turns the file on, elsewhere and off, and a rotated one begins anew', async (t) => {
  const wormgate = await startWormgate(t, {
    sections: patterns,
  });
  const configure = (...Events: string[]) =>
    wormgate.configure({ sections: { ...patterns, Events } });
  const attack = () => send(wormgate, 'GET /evil.exe HTTP/1.1');
  await attack();
  configure('EventLog=one');
  await reload(wormgate);
  await attack();
  await until(() => eventsIn(wormgate, 'one').length === 1);
  renameSync(join(wormgate.dataFolder, 'one'), join(wormgate.dataFolder, 'one.1'));
  await reload(wormgate);
  await attack();
  await until(() => eventsIn(wormgate, 'one').length === 1);
  assert.equal(eventsIn(wormgate, 'one.1').length, 1);
  configure('EventLog=two', 'EventKinds=origin');
  await reload(wormgate);
  await attack();
  configure('EventLog=two');
  await reload(wormgate);
  await attack();
  await until(() => eventsIn(wormgate, 'two').length === 1);
  configure();
  await reload(wormgate);
  await attack();
  assert.equal(await wormgate.stop(), 0);
  const counts = ['one', 'one.1', 'two'].map((name) => eventsIn(wormgate, name).length);
  assert.deepEqual(counts, [1, 1, 1]);
});
