/**
 * The console, end to end: commands typed at a shell change what the running server does
 * with the next request; what they answer, what they refuse, what PROXY.LOG keeps of them.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { done, isBlocked, openConsole, refused, virus } from '../support/operator.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('served\n'));
const gate = await startWormgate({ after }, { origin });

test('virus add blocks the very next request, virus del lets it pass again', async () => {
  const target = '/default.ida?NNNNNNNN';
  assert.equal(await isBlocked(gate, target), false);
  const added = await done(gate, 'add', '-p', 'default.ida?NNNN', '-o', '385');
  assert.equal(added, 'Added "default.ida?NNNN", original length 385.\n');
  assert.equal(await isBlocked(gate, target), true);
  const again = await virus(gate, 'add', '-p', 'default.ida?NNNN', '-o', '385');
  assert.deepEqual([again.code, again.stderr], [0, '']);
  assert.match(again.stdout, /there already/);
  await done(gate, 'del', '-p', 'default.ida?NNNN', '-o', '385');
  assert.equal(await isBlocked(gate, target), false);
  assert.match(
    await refused(gate, 'del', '-p', 'default.ida?NNNN', '-o', '385'),
    /^There is no pattern/,
  );
});

test('the original length is a part of what names a pattern, and no condition of the match', async () => {
  await done(gate, 'add', '-p', 'two.ida?NNNNNNNN', '-o', '385');
  await done(gate, 'add', '-p', 'two.ida?NNNNNNNN', '-o', '400');
  await refused(gate, 'del', '-p', 'two.ida?NNNNNNNN', '-o', '401');
  await done(gate, 'del', '-p', 'two.ida?NNNNNNNN', '-o', '385');
  assert.equal(await isBlocked(gate, '/two.ida?NNNNNNNN'), true);
  await done(gate, 'del', '-p', 'two.ida?NNNNNNNN', '-o', '400');
  assert.equal(await isBlocked(gate, '/two.ida?NNNNNNNN'), false);
});

test('options may begin with a slash, and with quotation marks or without', async () => {
  await done(gate, 'add', '/p', 'slash.ida?NNNNNN', '/o', '99');
  assert.equal(await isBlocked(gate, '/slash.ida?NNNNNNX'), true);
  await done(gate, 'del', '/o', '99', '/p', '"slash.ida?NNNNNN"');
  assert.equal(await isBlocked(gate, '/slash.ida?NNNNNNX'), false);
  assert.match(await done(gate, '/h'), /virus add/);
  await done(gate, '/t', '251');
  await done(gate, '-t', '250');
});

test('escapes write any byte', async () => {
  await done(gate, 'add', '-p', '\\x41\\"\\\\ HTTP/1.1', '-o', '12');
  assert.equal(await isBlocked(gate, '/A"\\'), true);
  await done(gate, 'add', '-p', '\\x00\\x90\\xff\\"', '-o', '13');
  const [, first = '', second = ''] = (await done(gate, 'list')).split('\n');
  assert.match(first, /^"A\\"\\\\ HTTP\/1\.1" +12 +console /);
  assert.match(second, /^"\\x00\\x90\\xff\\"" +13 +console /);
  await done(gate, '-c');
});

test('keywords are added, listed and deleted', async () => {
  assert.equal(await done(gate, 'list', '-k'), 'There are no keywords.\n');
  await done(gate, 'add', '-k', 'cmd.exe');
  await done(gate, 'add', '-k', '"/root exe"');
  const rows = (await done(gate, 'list', '-k')).split('\n');
  assert.match(rows[0] ?? '', /^KEYWORD +FROM +ADDED +CONFIRMED +BLOCKED +LAST SERVED$/);
  assert.match(rows[1] ?? '', /^"cmd\.exe" +console +\S+Z +- +0 +-$/);
  assert.match(rows[2] ?? '', /^"\/root exe" +console +\S+Z +- +0 +-$/);
  await done(gate, 'del', '-k', 'CMD.exe');
  await done(gate, 'del', '-k', '/root exe');
  assert.equal(await done(gate, 'list', '-k'), 'There are no keywords.\n');
});

test('virus show prints the labels of the screen in their order', async () => {
  const labels = (await done(gate, 'show'))
    .trimEnd()
    .split('\n')
    .map((line) => /^([^:]+): ./.exec(line)?.[1]);
  assert.deepEqual(labels, [
    ...['No Of Patterns', 'Pattern Size', 'Pattern Start Offset'],
    ...['Refresh Interval', 'Hit Threshold', 'Virus Auto Update'],
    ...['Virus Requests', 'Non Virus Requests', 'Recommend Threshold'],
    ...['Max Non Virus Hit Rate', 'Ave Virus Hit Rate', 'Ave Non Virus Hit Rate'],
    ...['Virus Source IP Address', 'Last Predicted Request'],
  ]);
});

test('-t, -r, -e and -m are in force at once, alone or together, and show marks them', async () => {
  await done(gate, '-t', '300');
  await done(gate, '-r', '12', '-e', '1');
  await done(gate, '-m', '77');
  const screen = await done(gate, 'show');
  assert.match(screen, /^Hit Threshold: 300 \(PROXY\.CFG: 250\)$/m);
  assert.match(screen, /^Refresh Interval: 12 \(PROXY\.CFG: 10\)$/m);
  assert.match(screen, /^Virus Auto Update: 1 \(PROXY\.CFG: 0\)$/m);
  assert.match(screen, /^MaxVirusPatterns: 77 \(PROXY\.CFG: 100000\)$/m);
  await done(gate, '-t', '250', '-r', '10', '-e', '0', '-m', '100000');
  assert.doesNotMatch(await done(gate, 'show'), /PROXY\.CFG/);
});

test('-c clears every pattern and no keyword', async () => {
  await done(gate, 'add', '-p', 'clear.ida?NNNNNN', '-o', '1');
  await done(gate, 'add', '-k', 'stays');
  assert.equal(await done(gate, '-c'), 'Cleared all patterns.\n');
  assert.equal(await isBlocked(gate, '/clear.ida?NNNNNN'), false);
  assert.equal(await done(gate, 'list'), 'There are no patterns.\n');
  assert.match(await done(gate, 'list', '-k'), /stays/);
  await done(gate, 'del', '-k', 'stays');
});

test('-h, -? and virus alone print help that names every command', async () => {
  for (const args of [['-h'], ['-?'], ['/?'], []]) {
    const help = await done(gate, ...args);
    for (const word of [
      'add',
      'del',
      'list',
      'dump',
      'show',
      'run',
      '-t',
      '-r',
      '-e',
      '-m',
      '-c',
    ]) {
      assert.ok(help.includes(`virus ${word}`) || help.includes(word), `${args}: ${word}`);
    }
  }
  assert.match(await done(gate, 'add', '-?'), /virus add -p "PATTERN" -o ORIGLENGTH/);
});

test('what cannot be carried out is refused with a sentence and changes nothing', async () => {
  const before = await done(gate, 'list');
  const client = await openConsole(gate);
  const cases: readonly (readonly [line: string, sentence: RegExp])[] = [
    ['virus add -p "seventeen bytes.." -o 5', /17 bytes; PatternSize allows 16/],
    ['virus add -p "never closed -o 5', /Column 14: .*quotation mark/],
    ['virus add -p "bad \\xZZ" -o 5', /Column \d+: .*\\x/],
    ['virus add -p unquoted -o 5', /Column 14: .*quotation marks: "unquoted"/],
    ['virus add -p "x"', /-o is missing/],
    ['virus add -o 5', /-p is missing/],
    ['virus add -p "x" -o', /-o needs a value/],
    ['virus add -p "x" -o 0', /-o takes an integer from 1 to/],
    ['virus add -p "x" -o 05', /-o takes an integer/],
    ['virus add -p "x" -o 5 -x', /takes .*, not `-x`/],
    ['virus add -p "x" -o 5 -k y', /do not go together/],
    ['virus add -p "x" -p "y" -o 5', /given twice/],
    ['virus add -p "" -o 5', /./],
    ['virus -q', /takes .*, not `-q`/],
    ['virus -T 5', /lower case/],
    ['virus -t 0', /-t takes an integer from 1/],
    ['virus -r 3601', /-r takes an integer from 1 to 3600/],
    ['virus -e 2', /-e takes an integer from 0 to 1/],
    ['virus -m 0', /-m takes an integer from 1/],
    ['virus remove -p "x" -o 5', /no command `remove`/],
    ['virus list now', /an option was expected/],
    ['vires list', /begins with the word virus/],
    ['', /begins with the word virus/],
    ['virus run x.ncf', /script/],
    [`virus add -p "${'x'.repeat(5000)}" -o 5`, /longer than 4096 bytes/],
  ];
  for (const [line, sentence] of cases) {
    const answer = await client.send([line], 'console');
    assert.ok(answer.ok);
    assert.equal(answer.replies[0]?.ok, false, line);
    assert.match(answer.replies[0]?.text ?? '', sentence, line);
  }
  client.close();
  assert.equal(await done(gate, 'list'), before);
  assert.match(
    await refused(gate, 'add', '-p', 'x'),
    /^Column \d+: -o is missing\. Syntax: virus add /,
  );
});

test('at the limit an add is refused, counted, and what is there stays', async (t) => {
  const small = await startWormgate(t, { origin });
  await done(small, '-m', '2');
  await done(small, 'add', '-p', 'one.ida?NNNNNNNN', '-o', '1');
  await done(small, 'add', '-p', 'two.ida?NNNNNNNN', '-o', '1');
  const sentence = await refused(small, 'add', '-p', 'three.ida?NNNNNN', '-o', '1');
  assert.match(sentence, /^There are 2 patterns and MaxVirusPatterns is 2; /);
  assert.equal(await small.counter('patterns_refused'), 1);
  await done(small, '-m', '1');
  assert.equal(await isBlocked(small, '/one.ida?NNNNNNNN'), true);
  assert.equal(await isBlocked(small, '/two.ida?NNNNNNNN'), true);
  assert.equal(await isBlocked(small, '/three.ida?NNNNNN'), false);
  await done(small, '-m', '3');
  await done(small, 'add', '-p', 'three.ida?NNNNNN', '-o', '1');
  assert.equal(await isBlocked(small, '/three.ida?NNNNNN'), true);
});

test('every command and the first line of its reply are in PROXY.LOG', async (t) => {
  const logged = await startWormgate(t, { origin });
  await done(logged, 'add', '-p', 'in "the" log', '-o', '5');
  await refused(logged, 'add', '-p', 'x');
  await done(logged, '-h');
  const script = join(logged.folder, 'script.ncf');
  writeFileSync(script, 'virus add -k word\nvirus nonsense \x1b[31m\n');
  await virus(logged, 'run', script);
  await logged.stop();
  const lines = logged.log().trimEnd().split('\n');
  const date = '\\[\\d\\d/\\w{3}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}\\]';
  const wanted = [
    /^\[console\] virus add -p "in \\"the\\" log" -o 5$/,
    new RegExp(`^\\[console\\] ${date} Added "in \\\\"the\\\\" log", original length 5\\.$`),
    /^\[console\] virus add -p "x"$/,
    new RegExp(`^\\[console\\] ${date} Column \\d+: -o is missing\\. `),
    /^\[console\] virus -h$/,
    new RegExp(`^\\[console\\] ${date} .* \\d+ more lines$`),
    /^\[console\] virus add -k word$/,
    new RegExp(`^\\[console\\] ${date} Added the keyword "word"\\.$`),
    /^\[console\] virus nonsense \\x1b\[31m$/,
    new RegExp(`^\\[console\\] ${date} Column 16: a control character `),
  ];
  assert.equal(lines.length, wanted.length, logged.log());
  for (const [index, pattern] of wanted.entries()) assert.match(lines[index] ?? '', pattern);
});

test('ConsoleLog sends commands to a file of their own', async (t) => {
  const apart = await startWormgate(t, { origin, sections: { Log: ['ConsoleLog=CONSOLE.LOG'] } });
  await done(apart, 'add', '-p', 'x', '-o', '5');
  await askRaw(apart.port, 'GET /served HTTP/1.1');
  await apart.stop();
  assert.match(apart.log(), /^127\.0\.0\.1 [^\n]*"GET \/served HTTP\/1\.1" 200 7\n$/);
  const consoleLog = readFileSync(join(apart.dataFolder, 'CONSOLE.LOG'), 'latin1');
  assert.equal(consoleLog.trimEnd().split('\n').length, 2, consoleLog);
});

test('console clients beyond MaxConsoleClients are told so, and those that are in go on', async (t) => {
  const narrow = await startWormgate(t, {
    origin,
    sections: { Limits: ['MaxConsoleClients=2'] },
  });
  const clients = [await openConsole(narrow), await openConsole(narrow)];
  assert.match(await refused(narrow, 'list'), /there are 2 console clients already/);
  for (const client of clients) {
    const answer = await client.send(['virus list'], 'console');
    assert.ok(answer.ok);
    client.close();
  }
  assert.equal(await narrow.counter('console_clients_refused'), 1);
});
