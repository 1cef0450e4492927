import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executeLine, executeLines } from '../../../src/admin/console.ts';
import { FakeContext } from '../../support/console-context.ts';

const add = 'virus add -p "default.ida?NNNN" -o 385';

test('an added pattern is padded, carries its origin and the time, and is told', async () => {
  const context = new FakeContext();
  assert.deepEqual(await executeLine('virus add -p "ab\\x00" -o 7', context, 'ncf'), {
    ok: true,
    text: 'Added "ab", original length 7.',
  });
  const pattern = new Uint8Array(16);
  pattern.set([0x61, 0x62]);
  assert.deepEqual(context.commits, [
    [{ kind: 'add', pattern, origLength: 7, from: 'ncf', atMs: 1_700_000_000_000 }],
  ]);
});

test('what is there already is told as unchanged', async () => {
  const context = new FakeContext();
  await executeLine(add, context, 'console');
  assert.deepEqual(await executeLine(add, context, 'console'), {
    ok: true,
    text: 'It is there already.',
    unchanged: true,
  });
});

test('a refusal of the database is the reply', async () => {
  const context = new FakeContext();
  const reply = await executeLine('virus del -p "x" -o 1', context, 'console');
  assert.deepEqual(reply, { ok: false, text: 'There is no such pattern.' });
});

test('a pattern longer than PatternSize is refused', async () => {
  const reply = await executeLine(
    `virus add -p "${'a'.repeat(17)}" -o 20`,
    new FakeContext(),
    'console',
  );
  assert.deepEqual(reply, { ok: false, text: 'The pattern has 17 bytes; PatternSize allows 16.' });
});

test('several settings of one line are one commit', async () => {
  const context = new FakeContext();
  const reply = await executeLine('virus -t 300 -r 20 -e 1 -m 5', context, 'console');
  assert.equal(
    reply.text,
    'HitThreshold is now 300. RefreshInterval is now 20. EnablePatternAutoUpdate is now 1. MaxVirusPatterns is now 5.',
  );
  assert.deepEqual(context.commits, [
    [
      { kind: 'set', name: 'HitThreshold', value: 300 },
      { kind: 'set', name: 'RefreshInterval', value: 20 },
      { kind: 'set', name: 'EnablePatternAutoUpdate', value: 1 },
      { kind: 'set', name: 'MaxVirusPatterns', value: 5 },
    ],
  ]);
});

test('without ScanVirusPatterns every line is answered "virus command not found"', async () => {
  const context = new FakeContext();
  context.scans = false;
  const replies = await executeLines([add, 'virus -h', 'virus', 'hello'], context, 'console');
  for (const reply of replies)
    assert.deepEqual(reply, { ok: false, text: 'virus command not found' });
  assert.deepEqual(context.commits, []);
});

test('before the database is read every line is refused', async () => {
  const context = new FakeContext();
  context.isReady = false;
  const reply = await executeLine(add, context, 'console');
  assert.deepEqual(reply, {
    ok: false,
    text: 'wormgate is still starting; try again in a moment.',
  });
});

test('neighbouring changes are one commit, and a question in between sees those before it', async () => {
  const context = new FakeContext();
  const lines = [add, 'nonsense', 'virus add -k a', 'virus list -k', 'virus -c', 'virus del -k a'];
  const replies = await executeLines(lines, context, 'console');
  assert.deepEqual(
    context.commits.map((changes) => changes.length),
    [2, 2],
  );
  assert.deepEqual(
    replies.map(({ ok }) => ok),
    [true, false, true, true, true, true],
  );
  assert.match(
    replies[3]?.text ?? '',
    /^KEYWORD +FROM +ADDED +CONFIRMED +BLOCKED +LAST SERVED\n"a" +console +2023-11-14T22:13:20Z +- +0 +-$/,
  );
});

test('a line longer than the limit is refused and recorded in part', async () => {
  const context = new FakeContext();
  const [reply] = await executeLines(
    [`virus add -k ${'x'.repeat(5000)}`],
    context,
    'console',
    4096,
  );
  assert.deepEqual(reply, { ok: false, text: 'The line is longer than 4096 bytes.' });
  assert.match(context.recorded[0] ?? '', /^\[console\] virus add -k x{243} \(truncated\)$/);
});

test('every command and its reply are recorded, one line each', async () => {
  const context = new FakeContext();
  await executeLines(
    [add, 'virus list', 'virus show\n[console] forged\x1b\xe9'],
    context,
    'console',
  );
  const date = String.raw`\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`;
  const expected = [
    String.raw`^\[console\] virus add -p "default\.ida\?NNNN" -o 385$`,
    String.raw`^\[console\] ${date} Added "default\.ida\?NNNN", original length 385\.$`,
    String.raw`^\[console\] virus list$`,
    String.raw`^\[console\] ${date} PATTERN .* \.\.\. 1 more lines$`,
    String.raw`^\[console\] virus show\\x0a\[console\] forged\\x1b\\xe9$`,
    String.raw`^\[console\] ${date} Column 11: a control character must be written as \\xHH\..*$`,
  ];
  assert.equal(context.recorded.length, expected.length);
  for (const [index, pattern] of expected.entries()) {
    assert.match(context.recorded[index] ?? '', new RegExp(pattern));
  }
});

test('list shows the first thousand patterns and how many more there are', async () => {
  const context = new FakeContext();
  const lines = Array.from({ length: 1200 }, (_, index) => `virus add -p "p${index}" -o 9`);
  await executeLines(lines, context, 'console');
  const { text } = await executeLine('virus list', context, 'console');
  const rows = text.split('\n');
  assert.equal(rows.length, 1002);
  assert.match(rows[0] ?? '', /^PATTERN +LENGTH +FROM +ADDED +HITS +LAST HIT$/);
  assert.match(rows[1] ?? '', /^"p0" +9 +console +2023-11-14T22:13:20Z +0 +-$/);
  assert.equal(rows.at(-1), 'And 200 more; "virus dump" writes all of them to VIRPAT.NCF.');
});

test('list -k counts the keywords that it does not show', async () => {
  const context = new FakeContext();
  for (let index = 0; index < 1001; index += 1) context.keywordNames.add(`k${index}`);
  const { text } = await executeLine('virus list -k', context, 'console');
  assert.match(text, /\nAnd 1 more; /);
});

test('an empty database is told in words', async () => {
  const context = new FakeContext();
  assert.equal(
    (await executeLine('virus list', context, 'console')).text,
    'There are no patterns.',
  );
  assert.equal(
    (await executeLine('virus list -k', context, 'console')).text,
    'There are no keywords.',
  );
});

test('a learned provenance cannot break the table', async () => {
  const context = new FakeContext();
  const pattern = new Uint8Array(16);
  const counts = { hits: 2, lastHitMs: 1_700_000_000_000 };
  context.entries.set('x', {
    pattern,
    origLength: 3,
    from: 'auto(a\n"b)',
    addedAtMs: 0,
    ...counts,
  });
  const { text } = await executeLine('virus list', context, 'console');
  assert.match(
    text,
    /\n"\\x00" +3 +auto\(a\\x0a\\"b\) +1970-01-01T00:00:00Z +2 +2023-11-14T22:13:20Z$/,
  );
});

test('dump tells the path and the counts, or why it failed', async () => {
  const context = new FakeContext();
  await executeLine(add, context, 'console');
  const { text } = await executeLine('virus dump', context, 'console');
  assert.equal(text, 'Wrote 1 pattern and 0 keywords to data/VIRPAT.NCF');
  context.dumpError = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  const refused = await executeLine('virus dump', context, 'console');
  assert.equal(refused.ok, false);
  assert.match(refused.text, /^VIRPAT\.NCF could not be written: .*no space left/);
});

test('a commit that throws refuses its lines and no others', async () => {
  const context = new FakeContext();
  context.commitError = new Error('boom');
  const replies = await executeLines([add, 'virus -h'], context, 'console');
  assert.deepEqual(
    replies.map(({ ok }) => ok),
    [false, true],
  );
  assert.equal(replies[0]?.text, 'The change could not be made durable: boom.');
});

test('run is refused: a script cannot run another', async () => {
  const reply = await executeLine('virus run x.ncf', new FakeContext(), 'ncf');
  assert.equal(reply.ok, false);
  assert.match(reply.text, /^A script cannot run another/);
});

test('virus alone, -h and -? print the help, and after a word its own help', async () => {
  const context = new FakeContext();
  const replies = await executeLines(['virus', 'virus -h', 'virus -?'], context, 'console');
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1);
  const own = await executeLine('virus dump -h', context, 'console');
  assert.match(own.text, /^virus dump\n/);
});

test('a batch of tables is cut off before it grows without bound', async () => {
  const context = new FakeContext();
  const lines = Array.from({ length: 1000 }, (_, index) => `virus add -p "pattern${index}" -o 9`);
  await executeLines(lines, context, 'console');
  const replies = await executeLines(
    Array.from({ length: 500 }, () => 'virus list'),
    context,
    'console',
  );
  const size = replies.reduce((sum, { text }) => sum + text.length, 0);
  assert.ok(size < 5 * 1024 * 1024, `${size}`);
  assert.equal(replies[0]?.ok, true);
  assert.deepEqual(replies.at(-1), {
    ok: false,
    text: 'The replies of this batch have grown too long; send fewer lines at once.',
  });
});
