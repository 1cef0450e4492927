/**
 * Asking the origin about what is stored, answering who asks about it, telling variants apart, and taking out
 * what has changed (RFC 9111 §§3.2, 4.1, 4.3, 4.4, RFC 9110 §§13-15), on both lanes.
 */
import { after } from 'node:test';
import { ago, type Case, playCases, type Step, startCacheLanes } from '../support/cache-lanes.ts';

const lanes = await startCacheLanes({ after });

const stored = 'fwd=uri-miss; fwd-status=200; stored';
const confirmed = 'fwd=stale; fwd-status=304; stored';
const fresh = 'Cache-Control: max-age=600';
const modified = ago(5000);
const text = 'Content-Type: text/plain';

function storing(lines: readonly string[], body = 'one'): Step {
  return { origin: { lines, body }, body, cache: stored };
}

/** Stored, and stale when it is asked for next. */
function stale(...lines: string[]): Step {
  return storing(['Cache-Control: max-age=10', 'Age: 20', ...lines]);
}

const validation: Case[] = [
  [
    'RFC 9111 §4.3.1: both validators are sent, and none of the client’s own',
    stale('ETag: W/"a"', `Last-Modified: ${modified}`),
    {
      lines: ['If-None-Match: "own"', 'Range: bytes=0-0', 'If-Range: "own"'],
      origin: { status: 304, lines: ['ETag: W/"a"', fresh] },
      heard: {
        'if-none-match': 'W/"a"',
        'if-modified-since': modified,
        range: undefined,
        'if-range': undefined,
      },
      body: 'one',
      cache: confirmed,
      ttl: 600,
    },
    { body: 'one', cache: 'hit', ttl: 600 },
  ],
  [
    'RFC 9111 §4.3.1: without a validator the whole is asked for',
    stale(),
    {
      lines: ['If-None-Match: "own"'],
      origin: { lines: [fresh], body: 'two' },
      heard: { 'if-none-match': undefined },
      body: 'two',
    },
    { body: 'two', cache: 'hit' },
  ],
  [
    'RFC 9111 §4.3.3: a 200 replaces what is stored',
    stale('ETag: "a"'),
    {
      origin: { lines: [fresh, 'ETag: "b"'], body: 'two' },
      heard: { 'if-none-match': '"a"' },
      body: 'two',
      cache: 'fwd=stale; fwd-status=200; stored',
      sees: { etag: '"b"' },
    },
    { body: 'two', cache: 'hit' },
  ],
  [
    'RFC 9111 §4.3.3: an error is passed on, and what is stored stays',
    stale('ETag: "a"'),
    { origin: { status: 500, body: 'broken' }, status: 500, body: 'broken' },
    { origin: { status: 304, lines: [fresh] }, body: 'one', cache: confirmed },
  ],
  [
    'RFC 9111 §4.3.3: what the origin has now and forbids to store takes out what was stored',
    stale('ETag: "a"'),
    {
      origin: { lines: ['Cache-Control: private'], body: 'mine' },
      body: 'mine',
      cache: 'fwd=stale; fwd-status=200; detail=private',
    },
    storing([fresh], 'two'),
  ],
  [
    'RFC 9111 §3.2: a 304 brings its fields, and leaves the others and the length',
    stale('ETag: "a"', 'X-Old: 1', 'X-New: 1', 'X-New: 2'),
    {
      origin: { status: 304, lines: ['X-New: 3', fresh, 'X-More: 4', 'Content-Length: 99'] },
      body: 'one',
      sees: { 'x-old': '1', 'x-new': '3', 'x-more': '4', 'content-length': '3' },
    },
    {
      body: 'one',
      cache: 'hit',
      sees: { 'x-old': '1', 'x-new': '3', 'x-more': '4', 'content-length': '3' },
    },
  ],
  [
    'RFC 9111 §3.2: the cookie of a 304 is for who asked alone',
    stale('ETag: "a"'),
    {
      origin: { status: 304, lines: [fresh, 'Set-Cookie: a=1', 'X-User: alice'] },
      body: 'one',
      sees: { 'set-cookie': 'a=1', 'x-user': 'alice' },
    },
    {
      origin: { status: 304, lines: [fresh] },
      body: 'one',
      sees: { 'set-cookie': undefined, 'x-user': undefined },
    },
    { body: 'one', cache: 'hit', sees: { 'set-cookie': undefined, 'x-user': undefined } },
  ],
  [
    'RFC 9111 §4.3.4: a 304 with no-store is answered with, and takes out what is stored',
    stale('ETag: "a"'),
    { origin: { status: 304, lines: ['Cache-Control: no-store'] }, body: 'one' },
    storing([fresh], 'two'),
  ],
  [
    'RFC 9111 §4.3.3: the client’s condition is answered by what the origin has confirmed',
    stale('ETag: "a"', text),
    {
      lines: ['If-None-Match: "a"'],
      origin: { status: 304, lines: ['ETag: "a"', fresh] },
      status: 304,
      cache: confirmed,
      sees: { etag: '"a"', 'content-type': undefined, 'content-length': undefined },
    },
  ],
  [
    'RFC 9111 §5.2.2.4: no-cache is asked about each time',
    storing(['Cache-Control: no-cache, max-age=600', 'ETag: "a"']),
    { origin: { status: 304, lines: ['ETag: "a"'] }, body: 'one', cache: confirmed },
    { origin: { status: 304, lines: ['ETag: "a"'] }, body: 'one', cache: confirmed },
  ],
];

const whole = [fresh, 'ETag: "a"', `Last-Modified: ${modified}`, text];

/** What is stored, asked for with these lines. */
function asking(lines: readonly string[], step: Step): Step[] {
  return [storing(whole, '0123456789'), { cache: 'hit', ...step, lines }];
}
const notModified: Step = {
  status: 304,
  body: '',
  sees: { etag: '"a"', 'cache-control': 'max-age=600', 'content-type': undefined },
};
const all: Step = { body: '0123456789' };
const refused: Step = {
  origin: { status: 412, body: 'no' },
  status: 412,
  cache: 'fwd=request; detail=precondition',
};

const conditions: Case[] = [
  ['§13.1.2: If-None-Match', ...asking(['If-None-Match: "a"'], notModified)],
  ['§13.1.2: compared weakly', ...asking(['If-None-Match: W/"a"'], notModified)],
  ['§13.1.2: in a list', ...asking(['If-None-Match: "b,", "a"'], notModified)],
  ['§13.1.2: any', ...asking(['If-None-Match: *'], notModified)],
  ['§13.1.2: another one', ...asking(['If-None-Match: "b"'], all)],
  [
    '§13.1.3: If-Modified-Since, the same',
    ...asking([`If-Modified-Since: ${modified}`], notModified),
  ],
  ['§13.1.3: later', ...asking([`If-Modified-Since: ${ago(10)}`], notModified)],
  ['§13.1.3: earlier', ...asking([`If-Modified-Since: ${ago(9000)}`], all)],
  ['§13.1.3: no date', ...asking(['If-Modified-Since: yesterday'], all)],
  [
    '§13.2.2: If-None-Match goes before If-Modified-Since',
    ...asking(['If-None-Match: "b"', `If-Modified-Since: ${ago(10)}`], all),
  ],
  ['§13.1.1: If-Match that holds', ...asking(['If-Match: "a"'], all)],
  [
    '§13.1.1: one that does not is the origin’s affair',
    ...asking(['If-Match: "b"'], { ...refused, heard: { 'if-match': '"b"' } }),
    { ...all, cache: 'hit' },
  ],
  ['§13.1.4: If-Unmodified-Since that holds', ...asking([`If-Unmodified-Since: ${modified}`], all)],
  ['§13.1.4: one that does not', ...asking([`If-Unmodified-Since: ${ago(9000)}`], refused)],
  ['§13.1.2: HEAD, too', ...asking(['If-None-Match: "a"'], { ...notModified, method: 'HEAD' })],
  [
    '§13.1: the first client’s condition is answered from the whole that was fetched',
    {
      lines: ['If-None-Match: "a"'],
      origin: { lines: whole, body: 'one' },
      heard: { 'if-none-match': undefined },
      status: 304,
      cache: stored,
    },
    { body: 'one', cache: 'hit' },
  ],
  [
    '§13.2.1: an error is no answer to a condition',
    { origin: { status: 404, lines: whole, body: 'no' }, status: 404 },
    { lines: ['If-None-Match: "a"'], status: 404, body: 'no', cache: 'hit' },
  ],
];

function part(range: string, body: string, told: string): Step[] {
  const sees = {
    'content-range': `bytes ${told}/10`,
    'content-length': String(body.length),
    'content-type': 'text/plain',
  };
  return asking([`Range: ${range}`], { status: 206, body, sees });
}
const unsatisfiable: Step = {
  status: 416,
  body: '',
  sees: { 'content-range': 'bytes */10', 'content-length': '0' },
};

const ranges: Case[] = [
  ['§14.1.2: from the beginning', ...part('bytes=0-3', '0123', '0-3')],
  ['§14.1.2: one byte', ...part('bytes=9-9', '9', '9-9')],
  ['§14.1.2: up to the end', ...part('bytes=4-', '456789', '4-9')],
  ['§14.1.2: beyond it', ...part('bytes=4-400', '456789', '4-9')],
  ['§14.1.2: the last ones', ...part('bytes=-2', '89', '8-9')],
  ['§14.1.2: more than there are', ...part('bytes=-20', '0123456789', '0-9')],
  ['§15.5.17: behind the end', ...asking(['Range: bytes=10-'], unsatisfiable)],
  ['§15.5.17: none', ...asking(['Range: bytes=-0'], unsatisfiable)],
  ['§14.1.1: the wrong way round', ...asking(['Range: bytes=5-2'], all)],
  ['§14.2: another unit', ...asking(['Range: lines=0-3'], all)],
  ['§14.2: several are answered with the whole', ...asking(['Range: bytes=0-0,2-2'], all)],
  ['§14.2: HEAD knows none', ...asking(['Range: bytes=0-3'], { method: 'HEAD', body: '' })],
  [
    '§13.1.5: If-Range with the tag',
    ...asking(['Range: bytes=0-3', 'If-Range: "a"'], { status: 206, body: '0123' }),
  ],
  ['§13.1.5: with another', ...asking(['Range: bytes=0-3', 'If-Range: "b"'], all)],
  ['§13.1.5: a weak one never does', ...asking(['Range: bytes=0-3', 'If-Range: W/"a"'], all)],
  [
    '§13.1.5: with the date',
    ...asking(['Range: bytes=0-3', `If-Range: ${modified}`], { status: 206, body: '0123' }),
  ],
  ['§13.1.5: with a later date', ...asking(['Range: bytes=0-3', `If-Range: ${ago(10)}`], all)],
  [
    '§13.2.2: a condition goes before the range',
    ...asking(['Range: bytes=0-3', 'If-None-Match: "a"'], notModified),
  ],
  [
    'RFC 9111 §3.3: a part that is not there is asked for as a part, and not stored',
    {
      lines: ['Range: bytes=0-3'],
      origin: { status: 206, lines: [fresh, 'Content-Range: bytes 0-3/10'], body: '0123' },
      heard: { range: 'bytes=0-3' },
      status: 206,
      body: '0123',
      cache: 'fwd=uri-miss',
    },
    storing(whole, '0123456789'),
  ],
];

playCases('validation', lanes, validation);
playCases('RFC 9110: conditions', lanes, conditions);
playCases('RFC 9110: ranges', lanes, ranges);
