/** Events of a whole wormgate: as lines in a file. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { patternSection, reload } from '../support/reload.ts';
import { okAnswer, startScriptedOrigin } from '../support/scripted-origin.ts';
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

test('suspects, and what was learned or proposed of them, are events', async (t) => {
  const learning = (action: string) => ({
    sections: {
      'Virus Pattern Configuration': [
        ...['EnablePatternAutoUpdate=1', 'HitThreshold=2', 'RefreshInterval=60'],
        `AutoUpdateAction=${action}`,
      ],
      Events: ['EventLog=events.jsonl', 'EventKinds=suspect, learned, proposed'],
    },
  });
  const wormgate = await startWormgate(t, learning('add'));
  wormgate.virus('add', '-k', 'cmd.exe');
  const kinds = () => eventsIn(wormgate).map(({ kind }) => kind);
  const thrice = (line: string) => send(wormgate, line, line, line);
  await thrice('GET /unheard/cmd.exe HTTP/1.0');
  await until(() => kinds().includes('learned'));
  await reload(wormgate, learning('propose'));
  await thrice('GET /unknown/cmd.exe HTTP/1.0');
  await until(() => kinds().includes('proposed'));
  assert.deepEqual(kinds(), ['suspect', 'learned', 'suspect', 'proposed']);
  const [suspect, learned, , proposed] = eventsIn(wormgate);
  const common = { client: '127.0.0.1', request: 'GET /unheard/cmd.exe HTTP/1.0' };
  const pattern = 'unheard/cmd.exe ';
  assert.deepEqual(suspect, { time: suspect?.time, kind: 'suspect', ...common, pattern });
  assert.deepEqual(learned, {
    ...{ time: suspect?.time, kind: 'learned', pattern, origLength: 25, keyword: 'cmd.exe' },
    ...{ ...common, count: 2, seconds: 60 },
  });
  assert.equal(proposed?.pattern, 'unknown/cmd.exe ');
  // Its keyword was confirmed meanwhile, so no origin has seen it.
  assert.equal(proposed?.reason, 'not-missing');
});

test('an origin that is down, and back, is told', async (t) => {
  const port = await freePort();
  const other = await startScriptedOrigin(t);
  other.on('/', ({ say }) => say(okAnswer('other')));
  const wormgate = await startWormgate(t, {
    origin: `http://127.0.0.1:${port}, ${other.url}`,
    accelerator: ['HealthPath=/', 'HealthInterval=1', 'HealthFall=1', 'HealthRise=1'],
    sections: { Events: ['EventLog=events.jsonl'] },
  });
  const told = () => eventsIn(wormgate).map(({ kind, origin, state }) => [kind, origin, state]);
  const name = `http://127.0.0.1:${port}`;
  await until(() => told().length === 1);
  assert.deepEqual(told(), [['origin', name, 'down']]);
  assert.match(String(eventsIn(wormgate)[0]?.why), /ECONNREFUSED/);
  const back = createServer((_request, response) => response.end('back'));
  back.listen(port, '127.0.0.1');
  t.after(() => back.close());
  await until(() => told().length === 2);
  assert.deepEqual(told()[1], ['origin', name, 'up']);
  assert.equal(eventsIn(wormgate)[1]?.why, null);
});

test('what the virus throttle tells of a server is told as events', async (t) => {
  const gateway = await freePort();
  const wormgate = await startWormgate(t, {
    sections: {
      'Virus Throttle': [
        ...['delay_queue_delay_seconds=10', 'delay_queue_size=10'],
        ...['delay_queue_high_watermark=8', 'delay_queue_low_watermark=4'],
      ],
      Egress: [`Listen=127.0.0.1:${gateway}`, 'AllowPorts=1-65535', 'AllowPrivate=1'],
      Events: ['EventLog=events.jsonl'],
    },
  });
  const clients: RawClient[] = [];
  for (let index = 1; index <= 20; index += 1) {
    const client = await RawClient.connect(gateway, '127.0.0.50');
    client.send(`CONNECT 127.0.9.${index}:9 HTTP/1.1\r\nHost: x\r\n\r\n`);
    clients.push(client);
  }
  await until(async () => (await wormgate.counter('egress_dropped')) === 9);
  for (const client of clients) client.reset();
  await until(() => eventsIn(wormgate).length === 3);
  assert.deepEqual(
    eventsIn(wormgate).map(({ kind, alert, source, waiting, dropped }) => {
      return [kind, alert, source, waiting, dropped];
    }),
    [
      ['throttle', 'detected', '127.0.0.50', 8, 0],
      ['throttle', 'dropping', '127.0.0.50', 10, 1],
      ['throttle', 'stopped', '127.0.0.50', 3, 9],
    ],
  );
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
