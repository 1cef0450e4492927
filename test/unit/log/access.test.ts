/** PROXY.LOG's lines, form by form (the paper's "Verifying the Blocking of Virus Requests"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AccessEntry,
  type AccessOutcome,
  formatAccess,
  formatDate,
  formatZonedDate,
} from '../../../src/log/access.ts';

const atMs = Date.UTC(2001, 7, 6, 15, 58, 58, 999);
const codeRed = `GET /default.ida?${'N'.repeat(224)}%u9090%u00=a  HTTP/1.0`;

function padded(text: string): Uint8Array {
  const pattern = new Uint8Array(16);
  pattern.set(Buffer.from(text, 'latin1'));
  return pattern;
}

const reason = {
  matched: padded('default.ida?NNNN'),
  from: 'shipped',
  requestId: '7Q2K',
} as const;

function format(outcome: AccessOutcome, changes: Partial<AccessEntry> = {}): string {
  const requestLine = 'GET / HTTP/1.1';
  return formatAccess({ client: '203.70.140.130', atMs, requestLine, outcome, ...changes });
}

function start(requestLine: string): string {
  return `203.70.140.130 - - [${formatDate(atMs)}] "${requestLine}"`;
}

test('a humble request is pure common log format', () => {
  const line = format({ kind: 'answered', status: 200, bytes: 123 });
  assert.equal(line, `${start('GET / HTTP/1.1')} 200 123`);
});

test('no bytes are written as 0, a status that never came as a dash', () => {
  const empty = format({ kind: 'answered', status: 304, bytes: 0 });
  assert.equal(empty, `${start('GET / HTTP/1.1')} 304 0`);
  const gone = format({ kind: 'answered', status: undefined, bytes: 0 });
  assert.equal(gone, `${start('GET / HTTP/1.1')} - 0`);
});

test('a slipped request shows its whole request line, two dashes and the reason', () => {
  assert.equal(
    format({ kind: 'slipped', reason }, { requestLine: codeRed }),
    `${start(codeRed)} - - pattern="default.ida?NNNN" from=shipped id=7Q2K`,
  );
});

test('a dropped virus request shows 400, the size and the reason', () => {
  assert.equal(
    format({ kind: 'dropped', bytes: 2248, reason }, { requestLine: codeRed }),
    `${start(codeRed)} 400 2248 pattern="default.ida?NNNN" from=shipped id=7Q2K`,
  );
});

test('a malformed request line is marked and cut at 256 bytes, as the paper shows', () => {
  const requestLine = `GET\0/default.ida?${'X'.repeat(1000)}`;
  const shown = `(bad request line) GET%00/default.ida?${'X'.repeat(239)} (truncated)`;
  const line = format(
    { kind: 'malformed', status: 400, bytes: 2248, requestId: '7Q2K' },
    { requestLine },
  );
  assert.equal(line, `${start(shown)} 400 2248 id=7Q2K`);
});

test('a malformed request line of 256 bytes is not cut', () => {
  const requestLine = '"'.repeat(256);
  const line = format(
    { kind: 'malformed', status: 400, bytes: 0, requestId: 'A' },
    { requestLine },
  );
  assert.equal(line, `${start(`(bad request line) ${'%22'.repeat(256)}`)} 400 0 id=A`);
});

test('a well-formed request line is whole up to 8192 bytes and cut at 256 beyond', () => {
  const outcome = { kind: 'answered', status: 200, bytes: 1 } as const;
  const whole = `GET /${'a'.repeat(8178)} HTTP/1.1`;
  assert.equal(whole.length, 8192);
  assert.equal(format(outcome, { requestLine: whole }), `${start(whole)} 200 1`);
  const cut = `${whole.slice(0, 256)} (truncated)`;
  assert.equal(format(outcome, { requestLine: `${whole} ` }), `${start(cut)} 200 1`);
});

test('a request line that never came is a dash', () => {
  const outcome = {
    kind: 'answered',
    status: 408,
    bytes: 10,
    error: { code: 'header_timeout', requestId: 'B' },
  } as const;
  assert.equal(
    format(outcome, { requestLine: '' }),
    `${start('-')} 408 10 error=header_timeout id=B`,
  );
});

test("the proxy's own errors end with their code and id", () => {
  assert.equal(
    format({
      kind: 'answered',
      status: 502,
      bytes: 300,
      error: { code: 'origin_refused', requestId: 'C' },
    }),
    `${start('GET / HTTP/1.1')} 502 300 error=origin_refused id=C`,
  );
});

for (const because of ['detect', 'never-block'] as const) {
  test(`a virus request let pass by ${because} says so`, () => {
    assert.equal(
      format({ kind: 'answered', status: 404, bytes: 9, passed: { because, ...reason } }),
      `${start('GET / HTTP/1.1')} 404 9 ${because} pattern="default.ida?NNNN" from=shipped id=7Q2K`,
    );
  });
}

test('a passed virus request that met an error has one id, at the end', () => {
  assert.equal(
    format({
      kind: 'answered',
      status: 504,
      bytes: 9,
      passed: { because: 'detect', ...reason },
      error: { code: 'origin_timeout', requestId: '7Q2K' },
    }),
    `${start('GET / HTTP/1.1')} 504 9 detect pattern="default.ida?NNNN" from=shipped ` +
      'error=origin_timeout id=7Q2K',
  );
});

test('padding is not printed, other zero bytes are', () => {
  const pattern = padded('a\0b"');
  const line = format({
    kind: 'slipped',
    reason: { ...reason, matched: pattern, from: 'console' },
  });
  assert.ok(line.endsWith(' - - pattern="a%00b%22" from=console id=7Q2K'), line);
});

test('a keyword with blanks and quotes stays within its field', () => {
  const line = format({ kind: 'slipped', reason: { ...reason, from: 'auto(x" id=1\n)' } });
  assert.ok(line.endsWith(' from=auto(x%22%20id=1%0A) id=7Q2K'), line);
});

test('a date has the local time and the offset of its zone', () => {
  assert.equal(formatZonedDate(atMs, -360), '06/Aug/2001:09:58:58 -0600');
  assert.equal(formatZonedDate(atMs, 0), '06/Aug/2001:15:58:58 +0000');
  assert.equal(formatZonedDate(atMs, 345), '06/Aug/2001:21:43:58 +0545');
  assert.equal(
    formatZonedDate(Date.UTC(2024, 1, 28, 23, 59, 59), 60),
    '29/Feb/2024:00:59:59 +0100',
  );
  assert.equal(formatZonedDate(0, -30), '31/Dec/1969:23:30:00 -0030');
});

test('a date does not linger into another second, forwards or backwards', () => {
  const first = formatDate(atMs);
  assert.notEqual(formatDate(atMs + 1), first);
  assert.equal(formatDate(atMs), first);
  assert.notEqual(formatDate(atMs - 1000), first);
});
