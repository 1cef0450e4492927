/** Forwarding: bodies and their framing, both ways, and answers that come in other shapes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, describe, test } from 'node:test';
import { headerOf } from '../support/answer.ts';
import { startOrigin } from '../support/origin.ts';
import { residentBytes } from '../support/process.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { okAnswer, startScriptedOrigin, valuesOf } from '../support/scripted-origin.ts';
import { startSites } from '../support/sites.ts';
import { until } from '../support/wormgate.ts';

const mebibyte = 1024 * 1024;
const sizes = { '0 B': 0, '1 KiB': 1024, '10 MiB': 10 * mebibyte } as const;
/** More than all buffers between two ends on one machine take. */
const floodBytes = 96 * mebibyte;

const block = Buffer.alloc(mebibyte, 'The quick brown worm jumps over the lazy gate.\n');

function bodyOf(size: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(size / mebibyte) }, () => block)).subarray(
    0,
    size,
  );
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function inChunks(bytes: Buffer, chunkSize = 65_536): Buffer {
  const parts: (Buffer | string)[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    const chunk = bytes.subarray(at, at + chunkSize);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  parts.push(Buffer.from('0\r\n\r\n'));
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

/** Bytes that the origin has written of a flood. */
let floodWritten = 0;
/** A body that nobody reads until somebody calls this. */
let readStalled: () => void = () => {};

function serve(req: IncomingMessage, res: ServerResponse): void {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://origin');
  if (pathname === '/get') {
    const body = bodyOf(Number(searchParams.get('size')));
    if (searchParams.has('length')) res.setHeader('Content-Length', body.length);
    else res.setHeader('Transfer-Encoding', 'chunked');
    res.end(body);
  } else if (pathname === '/sink') {
    const hash = createHash('sha256');
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      size += chunk.length;
    });
    req.on('end', () => {
      const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
      res.end(JSON.stringify({ size, digest: hash.digest('hex'), length, coding }));
    });
  } else if (pathname === '/flood') {
    res.setHeader('Content-Length', floodBytes);
    const write = (left: number): void => {
      if (left === 0) return void res.end();
      floodWritten += block.length;
      if (res.write(block)) setImmediate(write, left - block.length);
      else res.once('drain', () => write(left - block.length));
    };
    write(floodBytes);
  } else {
    readStalled = () => {
      let size = 0;
      req.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      req.on('end', () => res.end(String(size)));
    };
  }
}

const served = await startOrigin({ after }, serve);
const origin = await startScriptedOrigin({ after });
const {
  wormgate,
  ports: { web, raw },
} = await startSites({ after }, { web: { origin: served.url }, raw: { origin: origin.url } });

describe('forwarding bodies', () => {
  for (const [title, size] of Object.entries(sizes)) {
    test(`an answer of ${title} with Content-Length arrives whole, its length kept`, async () => {
      const answer = await askOnce(web, `GET /get?size=${size}&length HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(answer.framing, 'length');
      assert.equal(digest(answer.body), digest(bodyOf(size)));
    });

    test(`a chunked answer of ${title} arrives whole, chunked`, async () => {
      const answer = await askOnce(web, `GET /get?size=${size} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(answer.framing, 'chunked');
      assert.equal(digest(answer.body), digest(bodyOf(size)));
    });

    test(`a request body of ${title} with Content-Length reaches the origin so`, async () => {
      const client = await RawClient.connect(web);
      client.send(
        `POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`,
        bodyOf(size),
      );
      const seen = JSON.parse((await client.answer()).body.toString());
      assert.deepEqual(seen, { size, digest: digest(bodyOf(size)), length: String(size) });
      client.destroy();
    });

    test(`a chunked request body of ${title} reaches the origin so`, async () => {
      const client = await RawClient.connect(web);
      client.send('POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      client.send(inChunks(bodyOf(size)));
      const seen = JSON.parse((await client.answer()).body.toString());
      assert.deepEqual(seen, { size, digest: digest(bodyOf(size)), coding: 'chunked' });
      client.destroy();
    });
  }

  /** Waits until a number has not changed for a fifth of a second, and returns it. */
  async function settled(read: () => number): Promise<number> {
    let last = -1;
    let since = Date.now();
    await until(() => {
      if (read() !== last) since = Date.now();
      last = read();
      return last > 0 && Date.now() - since > 200;
    });
    return last;
  }

  test('a client that does not read stops the origin, not the memory', async () => {
    const client = await RawClient.connect(web);
    client.socket.pause();
    const before = residentBytes(wormgate.pid);
    client.send('GET /flood HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok((await settled(() => floodWritten)) < floodBytes / 2);
    assert.ok(residentBytes(wormgate.pid) - before < 48 * mebibyte);
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk) => {
      received += chunk.length;
    });
    client.socket.resume();
    await until(() => received > floodBytes);
    client.destroy();
  });

  test('an origin that does not read stops the client, not the memory', async () => {
    const client = await RawClient.connect(web);
    const before = residentBytes(wormgate.pid);
    client.send(`POST /stall HTTP/1.1\r\nHost: a\r\nContent-Length: ${floodBytes}\r\n\r\n`);
    let sent = 0;
    const write = (): void => {
      if (sent === floodBytes) return;
      client.socket.write(block, () => {
        sent += block.length;
        write();
      });
    };
    write();
    assert.ok((await settled(() => sent)) < floodBytes / 2);
    assert.ok(residentBytes(wormgate.pid) - before < 48 * mebibyte);
    readStalled();
    assert.equal((await client.answer()).body.toString(), String(floodBytes));
    client.destroy();
  });

  for (const [title, head] of Object.entries({
    'with Content-Length': 'Content-Length: 5\r\n',
    'without Content-Length': 'Transfer-Encoding: chunked\r\n',
  })) {
    test(`HEAD ${title} has no body, and the connection goes on`, async () => {
      origin.on('/head', ({ say }) => say(`HTTP/1.1 200 OK\r\n${head}\r\n`));
      const client = await RawClient.connect(raw);
      const answer = await client.ask('HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(headerOf(answer, 'content-length'), head.includes('5') ? '5' : undefined);
      assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).body.toString(), 'ok');
      client.destroy();
    });
  }

  for (const [statusLine, lines] of [
    ['204 No Content', ''],
    ['205 Reset Content', 'Content-Length: 0\r\n'],
    ['304 Not Modified', 'ETag: "x"\r\nContent-Length: 5\r\n'],
    ['304 Not Modified', 'ETag: "x"\r\n'],
  ] as const) {
    test(`${statusLine} with ${lines.split('\r\n').slice(0, -1).join(', ') || 'no headers'} has no body, and the connection goes on`, async () => {
      origin.on('/empty', ({ say }) => say(`HTTP/1.1 ${statusLine}\r\n${lines}\r\n`));
      const client = await RawClient.connect(raw);
      const answer = await client.ask('GET /empty HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(`${answer.status} ${answer.reason}`, statusLine);
      const expected = lines.split('\r\n').filter((line) => line !== '');
      const kept = answer.lines.map(([name, value]) => `${name}: ${value}`);
      assert.deepEqual(
        kept.filter((line) => !line.startsWith('Date')),
        expected,
      );
      assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).body.toString(), 'ok');
      client.destroy();
    });
  }

  test('an answer that ends with its connection becomes chunked, and the client stays connected', async () => {
    origin.on('/old', ({ say, socket }) => {
      say('HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello');
      socket.end();
    });
    const client = await RawClient.connect(raw);
    const answer = await client.ask('GET /old HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.deepEqual(
      [answer.version, answer.framing, answer.body.toString()],
      ['1.1', 'chunked', 'hello'],
    );
    assert.equal((await client.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200);
    client.destroy();
  });

  test('an HTTP/1.0 client gets a body without length up to the end of the connection', async () => {
    origin.on('/chunks', ({ say }) =>
      say(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n',
      ),
    );
    const client = await RawClient.connect(raw);
    const request = 'GET /chunks HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
    const answer = await client.ask(request);
    assert.deepEqual([answer.framing, answer.body.toString()], ['close', 'hello']);
    assert.equal(headerOf(answer, 'connection'), 'close');
    assert.equal(headerOf(answer, 'trailer'), undefined);
  });

  test('an HTTP/1.0 client that asks for it is kept connected, another is not', async () => {
    const client = await RawClient.connect(raw);
    const kept = await client.ask('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    assert.equal(headerOf(kept, 'connection'), 'keep-alive');
    const last = await client.ask('GET / HTTP/1.0\r\n\r\n');
    assert.equal(headerOf(last, 'connection'), 'close');
    await client.end();
  });

  test('an HTTP/1.0 request without Host reaches the origin with the origin’s own', async () => {
    await askOnce(raw, 'GET /nohost HTTP/1.0\r\n\r\n');
    const head = origin.callsOf('/nohost')[0]?.head ?? '';
    assert.deepEqual(valuesOf(head, 'host'), [`127.0.0.1:${origin.port}`]);
    assert.deepEqual(valuesOf(head, 'x-forwarded-host'), []);
  });

  test('trailers pass both ways, except those that would change the message', async () => {
    origin.on('/trailers', ({ say, body, onBody }) => {
      onBody(() => {
        if (!body().endsWith('\r\n\r\n')) return;
        say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n');
        say('2\r\nok\r\n0\r\nX-Sum: 42\r\nSet-Cookie: a=b\r\n\r\n');
      });
    });
    const client = await RawClient.connect(raw);
    client.send(
      'POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n',
    );
    await until(() => origin.callsOf('/trailers').length === 1);
    client.send('3\r\nabc\r\n0\r\nX-Check: sum\r\nHost: evil\r\n\r\n');
    const answer = await client.answer();
    assert.deepEqual(answer.trailers, [['X-Sum', '42']]);
    assert.equal(headerOf(answer, 'trailer'), 'X-Sum');
    const call = origin.callsOf('/trailers')[0];
    assert.equal(call?.body(), '3\r\nabc\r\n0\r\nX-Check: sum\r\n\r\n');
    assert.deepEqual(valuesOf(call?.head ?? '', 'trailer'), ['X-Check']);
    client.destroy();
  });

  test('a list of trailers where there can be none is left out, either way', async () => {
    origin.on('/notrailers', ({ say }) =>
      say('HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok'),
    );
    const answer = await askOnce(raw, 'GET /notrailers HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n\r\n');
    assert.equal(headerOf(answer, 'trailer'), undefined);
    assert.deepEqual(valuesOf(origin.callsOf('/notrailers')[0]?.head ?? '', 'trailer'), []);
  });

  test('early hints and progress reports pass, and not to HTTP/1.0', async () => {
    origin.on('/hints', ({ say }) => {
      say('HTTP/1.1 102 Processing\r\n\r\n');
      say(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nX-Hint: yes\r\n\r\n',
      );
      say('HTTP/1.1 103 Early Hints\r\nLink: nonsense\r\n\r\n');
      say(okAnswer());
    });
    const client = await RawClient.connect(raw);
    assert.equal((await client.ask('GET /hints HTTP/1.1\r\nHost: a\r\n\r\n')).status, 102);
    const hints = await client.answer();
    assert.equal(hints.status, 103);
    assert.equal(headerOf(hints, 'link'), '</a.css>; rel=preload; as=style');
    assert.equal(headerOf(hints, 'x-hint'), 'yes');
    assert.equal((await client.answer()).status, 200);
    client.destroy();
    assert.equal((await askOnce(raw, 'GET /hints HTTP/1.0\r\n\r\n')).status, 200);
  });
});
