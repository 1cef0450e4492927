/**
 * SIGHUP while requests are under way: none of them fails, connections go on, logs are opened anew so
 * that they can be rotated, and signals that come too many or too late do no harm.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inLanes } from '../support/lanes.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, type RawAnswer, sendRaw, statusOf } from '../support/raw.ts';
import { RawClient } from '../support/raw-client.ts';
import { listens, patternSection, taken } from '../support/reload.ts';
import { freePort, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const origins = await Promise.all(
  ['first', 'second'].map((name) =>
    startOrigin({ after }, (_request, answer) => answer.end(`${name}\n`)),
  ),
);
const [first = '', second = ''] = origins.map(({ url }) => url);

interface Download {
  readonly wormgate: Wormgate;
  /** Resolves when the server has closed the connection. */
  readonly answer: Promise<RawAnswer>;
  /** Lets the origin send the second half. */
  goOn(): void;
  /** The answer that arrived is whole. */
  check(): Promise<void>;
}

/** A server with a download of two megabytes under way, half of which the origin keeps back. */
async function startDownload(test: Parameters<typeof startWormgate>[0]): Promise<Download> {
  let release: (() => void) | undefined;
  const slow = await startOrigin(test, (_request, answer) => {
    answer.writeHead(200, { 'Content-Length': 2_000_000 });
    answer.write(Buffer.alloc(1_000_000, 'a'));
    release = () => answer.end(Buffer.alloc(1_000_000, 'b'));
  });
  const wormgate = await startWormgate(test, { origin: slow.url });
  const request = 'GET /big HTTP/1.1\r\nHost: a\r\n\r\n';
  const answer = sendRaw(wormgate.port, [request], { waitMs: 10_000 });
  await until(() => release !== undefined);
  return {
    wormgate,
    answer,
    goOn: () => release?.(),
    check: async () => {
      const { text, closed } = await answer;
      assert.ok(closed, 'its connection is closed once it is answered');
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      assert.ok(body === 'a'.repeat(1_000_000) + 'b'.repeat(1_000_000), `${body.length} bytes`);
      await wormgate.logLine(/"GET \/big HTTP\/1\.1" 200 2000000$/);
    },
  };
}

test('a download under way survives a reload that removes its listener and its origin', async (t) => {
  const download = await startDownload(t);
  const { wormgate } = download;
  const extra = await freePort();
  await taken(wormgate, {
    sections: { 'Accelerator test': [`Listen=127.0.0.1:${extra}`, `Origin=${second}`] },
  });
  await until(async () => !(await listens(wormgate.port)));
  assert.match((await askRaw(extra, 'GET / HTTP/1.1')).text, /second/);
  download.goOn();
  await download.check();
});

test('a listener that is back before its last download is over serves at once', async (t) => {
  const download = await startDownload(t);
  const { wormgate } = download;
  const extra = await freePort();
  await taken(wormgate, {
    sections: { 'Accelerator test': [`Listen=127.0.0.1:${extra}`, `Origin=${second}`] },
  });
  await taken(wormgate, { origin: first });
  assert.match((await askRaw(wormgate.port, 'GET / HTTP/1.1')).text, /first/);
  download.goOn();
  await download.check();
});

test('a download of a listener that a reload removed is waited for by SIGTERM', async (t) => {
  const download = await startDownload(t);
  const { wormgate } = download;
  const extra = await freePort();
  await taken(wormgate, {
    sections: { 'Accelerator test': [`Listen=127.0.0.1:${extra}`, `Origin=${second}`] },
  });
  const ended = wormgate.stop('SIGTERM');
  await until(async () => !(await listens(extra)));
  download.goOn();
  assert.equal(await ended, 0);
  await download.check();
});

test('keep-alive connections of a listener that stays go on through reloads', async (t) => {
  const wormgate = await startWormgate(t, { origin: first });
  const client = await RawClient.connect(wormgate.port);
  t.after(() => client.destroy());
  for (const [origin, body] of [
    [first, 'first\n'],
    [second, 'second\n'],
    [first, 'first\n'],
  ] as const) {
    await taken(wormgate, { origin });
    const answer = await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(String(answer.body), body);
  }
});

test('reloads during 500 requests fail none of them', async (t) => {
  const wormgate = await startWormgate(t, { origin: first });
  const extra = await freePort();
  let answered = 0;
  const clients = new Map<number, RawClient>();
  const asking = inLanes(Array.from({ length: 500 }), 8, async (_, index) => {
    // Half of them over connections that stay open, half of them each over one of its own.
    if (index % 2 === 0) {
      const answer = await askRaw(wormgate.port, `GET /n${index} HTTP/1.1`);
      assert.match(answer.text, /^HTTP\/1\.1 200 [\s\S]*(first|second)\n$/);
    } else {
      const [key = -1, idle] = [...clients].pop() ?? [];
      clients.delete(key);
      const client = idle ?? (await RawClient.connect(wormgate.port));
      const answer = await client.ask(`GET /n${index} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(answer.status, 200);
      clients.set(index, client);
    }
    answered += 1;
  });
  for (let round = 0; round < 8; round += 1) {
    await until(() => answered >= round * 60);
    const listen = round % 2 === 0 ? `127.0.0.1:${wormgate.port}, 127.0.0.1:${extra}` : undefined;
    await taken(wormgate, {
      sections: {
        ...patternSection([`p${round}.ida HTTP/1.1`]),
        'Accelerator test': [
          `Listen=${listen ?? `127.0.0.1:${wormgate.port}`}`,
          `Origin=${round % 2 === 0 ? first : second}`,
        ],
      },
    });
  }
  await asking;
  for (const client of clients.values()) client.destroy();
  assert.equal(await wormgate.counter('reloads'), 8);
  await wormgate.stop();
  const lines = wormgate.log().trimEnd().split('\n');
  assert.equal(lines.length, 500);
  for (const line of lines) assert.match(line, /"GET \/n\d+ HTTP\/1\.1" 200 [67]$/);
});

test('PROXY.LOG can be rotated by renaming it, and no line is lost or torn', async (t) => {
  const wormgate = await startWormgate(t, { origin: first });
  const path = join(wormgate.dataFolder, 'PROXY.LOG');
  const count = 1000;
  let asked = 0;
  // So that each file gets some, however slow a reload is.
  let allowed = count / 4;
  const asking = inLanes(Array.from({ length: count }), 8, async (_, index) => {
    await until(() => index < allowed);
    asked += 1;
    assert.equal(statusOf(await askRaw(wormgate.port, `GET /n${index} HTTP/1.1`)), 200);
  });
  for (let round = 0; round < 3; round += 1) {
    await until(() => asked > allowed - 50);
    renameSync(path, `${path}.${round}`);
    await taken(wormgate);
    allowed += count / 4;
  }
  await asking;
  await wormgate.stop();
  const files = [`${path}.0`, `${path}.1`, `${path}.2`, path];
  const lines = files.flatMap((file) => readFileSync(file, 'latin1').trimEnd().split('\n'));
  const seen = lines.map((line) => /"GET \/n(\d+) HTTP\/1\.1" 200 6$/.exec(line)?.[1]);
  assert.equal(seen.length, count);
  assert.equal(new Set(seen).size, count);
  for (const file of files) assert.ok(readFileSync(file).length > 0, file);
});

test('another ProxyLog takes the next line, and the old one is left alone', async (t) => {
  const wormgate = await startWormgate(t, { origin: first });
  await askRaw(wormgate.port, 'GET /old HTTP/1.1');
  await taken(wormgate, { origin: first, sections: { Log: ['ProxyLog=NEW.LOG'] } });
  await askRaw(wormgate.port, 'GET /new HTTP/1.1');
  const old = join(wormgate.dataFolder, 'PROXY.LOG');
  renameSync(old, `${old}.1`);
  await taken(wormgate);
  await wormgate.stop();
  assert.match(readFileSync(`${old}.1`, 'latin1'), /^[^\n]*GET \/old [^\n]*\n$/);
  const lines = readFileSync(join(wormgate.dataFolder, 'NEW.LOG'), 'latin1');
  assert.match(lines, /^[^\n]*GET \/new [^\n]*\n$/);
  assert.throws(() => readFileSync(old), /ENOENT/);
});

test('two SIGHUPs in a row, or thirty, end with the newest file in force', async (t) => {
  const wormgate = await startWormgate(t, { origin: second });
  const texts = [second, first].map((origin) => {
    wormgate.configure({ origin });
    return readFileSync(wormgate.configFile);
  });
  for (const [signals, text, word] of [
    [2, texts[0], /second/],
    [30, texts[1], /first/],
  ] as const) {
    // The file changes between the signals: a reload under way must not be taken for the last one.
    for (let sent = 1; sent < signals; sent += 1) wormgate.signal('SIGHUP');
    writeFileSync(`${wormgate.configFile}.new`, text ?? '');
    renameSync(`${wormgate.configFile}.new`, wormgate.configFile);
    wormgate.signal('SIGHUP');
    await until(async () => word.test((await askRaw(wormgate.port, 'GET / HTTP/1.1')).text));
  }
  assert.equal(await wormgate.counter('reloads_refused'), 0);
  assert.doesNotMatch(wormgate.stderr, /not taken over/);
});

test('a SIGHUP that comes during the drain is too late, and stops nothing', async (t) => {
  const download = await startDownload(t);
  const { wormgate } = download;
  const ended = wormgate.stop('SIGTERM');
  await until(async () => !(await listens(wormgate.port)));
  const extra = await freePort();
  const late = `\n[Accelerator late]\nListen=127.0.0.1:${extra}\nOrigin=demo\n`;
  appendFileSync(wormgate.configFile, late);
  wormgate.signal('SIGHUP');
  // Two answers of the admin server later, the signal was seen.
  for (let asked = 0; asked < 2; asked += 1) assert.equal(await wormgate.counter('reloads'), 0);
  assert.equal(await listens(extra), false);
  download.goOn();
  await download.check();
  assert.equal(await ended, 0);
  assert.equal(wormgate.stderr, '');
});
