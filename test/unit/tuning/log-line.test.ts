import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineCutter, type LineKind, LogLineReader } from '../../../src/tuning/log-line.ts';

const start = '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600]';

interface Read {
  readonly kind: LineKind;
  readonly client: string;
  readonly text: string;
  readonly status: number;
  readonly at: string;
}

function read(line: string): Read {
  const reader = new LogLineReader(65_536);
  const bytes = Buffer.from(`before\n${line}\nafter`, 'latin1');
  const kind = reader.read(bytes, 7, 7 + line.length);
  return {
    kind,
    client: reader.client(),
    text: kind === 'request' ? reader.text() : '',
    status: reader.status,
    at: new Date(reader.atMs).toISOString(),
  };
}

test('a common and a combined line give client, time, request string and status', () => {
  const expected = {
    kind: 'request',
    client: '203.0.113.9',
    text: '/default.ida?NNNN HTTP/1.0',
    status: 404,
    at: '2001-08-06T15:58:58.000Z',
  };
  assert.deepEqual(read(`${start} "GET /default.ida?NNNN HTTP/1.0" 404 276`), expected);
  assert.deepEqual(
    read(`${start} "GET /default.ida?NNNN HTTP/1.0" 404 276 "-" "Mozilla [x] \\"y\\""`),
    expected,
  );
});

test('an IPv6 client, a user and a zone east of Greenwich are read', () => {
  const line = read('2001:db8::7 - frank [29/Feb/2024:00:30:00 +0130] "HEAD / HTTP/1.1" 200 -');
  assert.deepEqual([line.client, line.at], ['2001:db8::7', '2024-02-28T23:00:00.000Z']);
});

test("the paper's slip has no status, and ours tells more behind it", () => {
  for (const end of ['- -', '- - pattern="default.ida?NNNN" from=shipped id=7Q2K']) {
    const line = read(`${start} "GET /default.ida?NNNN  HTTP/1.0" ${end}`);
    assert.deepEqual([line.kind, line.status], ['request', 0]);
    assert.equal(line.text, '/default.ida?NNNN  HTTP/1.0');
  }
});

test('escapes of other servers are undone, and a quotation mark within does not end the request', () => {
  const line = read(String.raw`${start} "GET /a\"b\\c\x90\t%41 HTTP/1.1" 200 1`);
  assert.equal(line.text, '/a"b\\c\x90\t%41 HTTP/1.1');
  assert.equal(read(String.raw`${start} "GET /\xzz HTTP/1.1" 200 1`).text, '/xzz HTTP/1.1');
});

test('an absolute target loses its scheme and host', () => {
  assert.equal(read(`${start} "GET http://site.test/a?b HTTP/1.1" 200 1`).text, '/a?b HTTP/1.1');
  assert.equal(read(`${start} "OPTIONS * HTTP/1.1" 200 1`).text, '* HTTP/1.1');
});

for (const [what, request] of [
  ['a connection without a request', '-'],
  ['a TLS handshake', '\\x16\\x03\\x01\\x02'],
  ['nothing', ''],
  ['a method alone', 'GET'],
  ['a bad request line of ours', '(bad request line) GET%00/default.ida?XXXX (truncated)'],
] as const) {
  test(`${what} is no request, and no fault of the line`, () => {
    assert.equal(read(`${start} "${request}" 400 226`).kind, 'no-request');
  });
}

test("the console's and Auto Update's lines are notes", () => {
  assert.equal(read('[console] virus add -k "cmd.exe"').kind, 'note');
  assert.equal(read('[auto update] [06/Aug/2001:09:58:58 -0600] Added').kind, 'note');
});

for (const line of [
  'x',
  '203.0.113.9',
  '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600]',
  '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600] "GET / HTTP/1.1',
  '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600] "GET / HTTP/1.1\\"',
  '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600] "GET / HTTP/1.1"',
  '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600] "GET / HTTP/1.1" abc 1',
  '203.0.113.9 - - [06/Xyz/2001:09:58:58 -0600] "GET / HTTP/1.1" 200 1',
  '203.0.113.9 - - [06/Aug/20x1:09:58:58 -0600] "GET / HTTP/1.1" 200 1',
  ' - - [06/Aug/2001:09:58:58 -0600] "GET / HTTP/1.1" 200 1',
]) {
  test(`malformed: ${line}`, () => {
    assert.equal(read(line).kind, 'malformed');
  });
}

test('chunks are cut into lines wherever they end, and long lines are cut short', () => {
  const text = 'one\r\n\ntwo\nthree is too long\nfour';
  for (let size = 1; size <= text.length; size += 1) {
    const lines: [string, boolean][] = [];
    const cutter = new LineCutter(8, (bytes, from, to, isCut) => {
      lines.push([bytes.toString('latin1', from, to), isCut]);
    });
    for (let at = 0; at < text.length; at += size)
      cutter.push(Buffer.from(text.slice(at, at + size)));
    cutter.end();
    assert.deepEqual(
      lines,
      [
        ['one', false],
        ['', false],
        ['two', false],
        ['three is', true],
        ['four', false],
      ],
      `chunks of ${size}`,
    );
  }
});

test('a request over HTTP/2 or HTTP/3 is the one that is screened, in HTTP/1.1', () => {
  for (const version of ['2.0', '3.0']) {
    assert.equal(read(`${start} "GET /.env HTTP/${version}" 404 0`).text, '/.env HTTP/1.1');
    const escaped = read(`${start} "GET /\\x41 HTTP/${version}" 404 0`);
    assert.equal(escaped.text, '/A HTTP/1.1');
  }
  assert.equal(read(`${start} "GET /HTTP/2.0" 404 0`).text, '/HTTP/2.0');
});
