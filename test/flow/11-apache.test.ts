/** A real web server behind a real wormgate: real visitors get what it gives, real worms do not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { type Answer, headerOf } from '../support/answer.ts';
import { type Apache, startApache } from '../support/apache.ts';
import { inLanes } from '../support/lanes.ts';
import { skipWithout } from '../support/parts.ts';
import { projectPath } from '../support/paths.ts';
import { sendRaw } from '../support/raw.ts';
import { askOnce, RawClient } from '../support/raw-client.ts';
import { readSiteB, wormRequestString } from '../support/requests-data.ts';
import { readPatternedWorms } from '../support/shipped-patterns.ts';
import { startWormgate, type Wormgate } from '../support/wormgate.ts';

const skip = skipWithout('apache2');
const siteB = readSiteB();
const patternFiles = ['classic-worms.ncf', 'modern-worms.ncf'].map((name) =>
  projectPath('patterns', name),
);
let apache: Apache;
let wormgate: Wormgate;

if (skip === false) {
  apache = await startApache({ after });
  publishSite();
  wormgate = await startWormgate(
    { after },
    {
      origin: apache.url,
      sections: { 'Virus Pattern Configuration': [`PatternFiles=${patternFiles.join(',')}`] },
    },
  );
}

/** Half of what visitors asked for exists, in sizes from nothing to 200 KiB. */
function publishSite(): void {
  for (const path of new Set(siteB.map(({ target }) => target.split('?', 1)[0] ?? ''))) {
    const digest = createHash('sha256').update(path).digest();
    if ((digest[0] ?? 0) % 2 === 0) continue;
    const size = (digest[1] ?? 0) < 8 ? 200 * 1024 : (digest[1] ?? 0) * 16;
    apache.publish(path, Buffer.alloc(size, digest));
  }
}

/** What must be equal: everything but the time and what belongs to the connection. */
function essence(answer: Answer): unknown {
  const ofTheConnection = /^(date|connection|keep-alive|transfer-encoding)$/i;
  return {
    status: `HTTP/${answer.version} ${answer.status} ${answer.reason}`,
    lines: answer.lines.filter(([name]) => !ofTheConnection.test(name)),
    body: createHash('sha256').update(answer.body).digest('hex'),
    bytes: answer.body.length,
  };
}

/** An HTTP/1.0 answer of unknown length ends with its connection. */
function isLast(answer: Answer): boolean {
  return headerOf(answer, 'connection')?.toLowerCase() === 'close';
}

function requestText(method: string, target: string, version: string, more = ''): string {
  return `${method} ${target} ${version}\r\nHost: site-b.test\r\nUser-Agent: flow-test\r\n${more}\r\n`;
}

test('10,000 requests of a real site over keep-alive get what Apache gives', { skip }, async () => {
  const lanes = 8;
  const served = new Map<number, number>();
  await inLanes(
    Array.from({ length: lanes }, (_, lane) => lane),
    lanes,
    async (lane) => {
      let direct = await RawClient.connect(apache.port);
      let through = await RawClient.connect(wormgate.port);
      for (let index = lane; index < siteB.length; index += lanes) {
        const { method, target, version } = siteB[index] ?? { method: '', target: '', version: '' };
        const stay = version === 'HTTP/1.0' ? 'Connection: keep-alive\r\n' : '';
        const request = requestText(method, target, version, stay);
        const [expected, actual] = await Promise.all([direct.ask(request), through.ask(request)]);
        assert.deepEqual(essence(actual), essence(expected), `line ${index + 1}: ${target}`);
        if (isLast(expected)) direct = await RawClient.connect(apache.port);
        if (isLast(actual)) through = await RawClient.connect(wormgate.port);
        served.set(expected.status, (served.get(expected.status) ?? 0) + 1);
      }
      direct.destroy();
      through.destroy();
    },
  );
  assert.equal(
    [...served.values()].reduce((sum, count) => sum + count),
    10_000,
  );
  assert.ok((served.get(200) ?? 0) > 1000 && (served.get(404) ?? 0) > 1000, 'a fair mix');
});

test('the same 10,000 over a new connection each get what Apache gives', { skip }, async () => {
  await inLanes(siteB, 16, async ({ method, target, version, line }) => {
    const request = requestText(method, target, version, 'Connection: close\r\n');
    const [expected, actual] = await Promise.all([
      askOnce(apache.port, request),
      askOnce(wormgate.port, request),
    ]);
    assert.deepEqual(essence(actual), essence(expected), `line ${line}: ${target}`);
  });
  assert.equal(await wormgate.counter('virus_requests'), 0);
});

test('conditional and range requests get what Apache gives', { skip }, async () => {
  const { target } = siteB.find(({ target }) => target.endsWith('.png')) ?? { target: '/' };
  apache.publish('/range.bin', Buffer.from('0123456789'.repeat(1000)));
  const conditions = [
    ['/range.bin', 'Range: bytes=10-19\r\n'],
    ['/range.bin', 'Range: bytes=0-4,20-24\r\n'],
    ['/range.bin', 'Range: bytes=999999-\r\n'],
    ['/range.bin', 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n'],
    ['/range.bin', 'If-None-Match: *\r\n'],
    [target, 'If-Match: "nothing"\r\n'],
  ] as const;
  for (const [path, condition] of conditions) {
    const request = requestText('GET', path, 'HTTP/1.1', condition);
    const expected = await askOnce(apache.port, request);
    const actual = await askOnce(wormgate.port, request);
    // Apache makes up a multipart boundary for each answer.
    if (condition.includes(',')) assert.equal(actual.status, expected.status);
    else assert.deepEqual(essence(actual), essence(expected), condition);
  }
});

for (const [name, size] of [
  ['0 B', 0],
  ['1 KiB', 1024],
  ['10 MiB', 10 * 1024 * 1024],
] as const) {
  test(`a body of ${name} comes back byte for byte, with a length and chunked`, {
    skip,
  }, async () => {
    const body = Buffer.alloc(size, createHash('sha256').update(name).digest());
    const head = (framing: string) =>
      requestText('POST', '/echo', 'HTTP/1.1', `Content-Type: a/b\r\n${framing}\r\n`);
    const client = await RawClient.connect(wormgate.port);
    client.send(head(`Content-Length: ${size}`), body);
    const withLength = await client.answer('POST');
    assert.equal(withLength.status, 200);
    assert.ok(withLength.body.equals(body), 'with Content-Length');
    client.send(head('Transfer-Encoding: chunked'), ...chunksOf(body), '0\r\n\r\n');
    const chunked = await client.answer('POST');
    assert.equal(chunked.status, 200);
    assert.ok(chunked.body.equals(body), 'chunked');
    client.destroy();
  });
}

function chunksOf(body: Buffer): (string | Buffer)[] {
  const parts: (string | Buffer)[] = [];
  for (let at = 0, size = 1; at < body.length; at += size, size = Math.min(size * 3, 99_999)) {
    const chunk = body.subarray(at, at + size);
    parts.push(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
  }
  return parts;
}

for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
  test(`all targets of requests.tsv are blocked over ${version}`, { skip }, async () => {
    const worms = readPatternedWorms();
    assert.ok(worms.length > 50);
    const blocked = async () =>
      (await wormgate.counter('requests_slipped')) + (await wormgate.counter('requests_malformed'));
    const before = await blocked();
    for (const worm of worms) {
      const line = `${worm.method} ${wormRequestString(worm, version)}`;
      const answer = await sendRaw(wormgate.port, [
        `${line}\r\nHost: victim\r\nContent-Length: 0\r\n\r\n`,
      ]);
      assert.ok(answer.closed, worm.name);
      // A target with a blank in it is no request line: answered 400, as the paper's log shows.
      assert.match(answer.text, /^$|^HTTP\/1\.1 400 /, worm.name);
    }
    assert.equal((await blocked()) - before, worms.length);
  });
}
