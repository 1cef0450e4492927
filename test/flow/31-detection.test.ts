/** What `wormgate tune --verdicts` makes of the logs of real sites, against what they are known to hold. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseVerdicts, scoreSiteA, type VerdictRow } from '../support/labels.ts';
import { projectPath } from '../support/paths.ts';
import { runCli } from '../support/wormgate.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-verdicts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const siteA = projectPath('test/data/site-a-combined.log.gz');
const siteB = projectPath('test/data/site-b-combined.log.gz');

function write(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content, 'latin1');
  return file;
}

/** Replays logs and reads what would have become of each line. */
function verdictsOf(logs: readonly string[], ...options: string[]) {
  const file = join(folder, 'verdicts.tsv');
  const { code, stdout, stderr } = runCli(['tune', ...logs, '--verdicts', file, ...options]);
  assert.equal(code, 0, stderr);
  return { report: stdout, rows: parseVerdicts(readFileSync(file, 'latin1')) };
}

function reasonWord({ reason }: VerdictRow): string {
  return reason.replace(/ .*/, '');
}

test('site-a: nearly all attacks are blocked, most probes, and no line of a clean source', () => {
  const { rows, report } = verdictsOf([siteA]);
  assert.deepEqual(
    rows.map(({ line }) => line),
    Array.from({ length: 1_212 }, (_, index) => index + 1),
  );
  const isBlocked = rows.map(({ verdict }) => verdict === 'block');
  const { lines, blocked, cleanBlocked } = scoreSiteA((line) => isBlocked[line - 1] === true);
  assert.deepEqual(cleanBlocked, []);
  assert.deepEqual(lines, { attack: 462, probe: 501, normal: 235, ambiguous: 14 });
  assert.ok(blocked.attack >= 0.97 * lines.attack, `${blocked.attack} attacks`);
  assert.ok(blocked.probe >= 0.7 * lines.probe, `${blocked.probe} probes`);
  // The report counts the same, but for the two lines that are no request.
  const [, told = ''] = /^Blocked: ([\d,]+) requests/m.exec(report) ?? [];
  const counted = isBlocked.filter(Boolean).length - 2;
  assert.equal(Number(told.replace(',', '')), counted);
  for (const reason of ['pattern', 'learned', 'keyword', 'source']) {
    const ofReason = rows.filter((row) => row.verdict === 'block' && reasonWord(row) === reason);
    assert.match(report, new RegExp(`^ +${ofReason.length}  ${reason} `, 'm'));
  }
});

test('site-b: two sources are blocked, a scanner and a crawler in its own broken links', () => {
  const { report, rows } = verdictsOf([siteB]);
  assert.equal(rows.length, 10_000);
  assert.match(report, /^Sources blocked: 2 \(/m);
  const blocked = rows.filter(({ verdict }) => verdict === 'block');
  const ofSources = blocked.filter((row) => reasonWord(row) === 'source');
  assert.ok(ofSources.length <= 20, `${ofSources.length} lines`);
  // Besides them, what asks for a WordPress that there is not.
  const text = blocked.filter((row) => reasonWord(row) !== 'source').map(({ reason }) => reason);
  assert.ok(
    text.every((reason) => reason.includes('wp-login.php')),
    text.join('\n'),
  );
});

const client = '203.0.113.9';

function line(target: string, status: number, { second = 0, referer = '-', from = client } = {}) {
  const time = `06/Aug/2001:09:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')} +0000`;
  return `${from} - - [${time}] "GET ${target} HTTP/1.1" ${status} 1 "${referer}" "agent"\n`;
}

test('every line has its row: requests, what is none, and what cannot be read', () => {
  const log = write(
    'mixed.log',
    [
      line('/', 200),
      '\n',
      'what is this\n',
      `${client} - - [06/Aug/2001:09:00:00 +0000] "-" 408 0 "-" "-"\n`,
      `${client} - - [06/Aug/2001:09:00:00 +0000] "-" 400 0 "-" "-"\n`,
      `${client} - - [06/Aug/2001:09:00:00 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"\n`,
      '[console] [06/Aug/2001:09:00:00 +0000] virus list\n',
      line('/missing', 404),
      line('/robots.txt', 404),
      line('/internal', 500),
      line('/default.ida?NNNNNNNN', 404),
      line('/a b', 404),
      'x'.repeat(70_000),
    ].join(''),
  );
  const { rows } = verdictsOf([log]);
  assert.deepEqual(
    rows.map((row) => [row.line, row.verdict, row.reason]),
    [
      [1, 'pass', 'served'],
      [2, 'pass', 'empty'],
      [3, 'pass', 'malformed'],
      [4, 'pass', 'no-request'],
      [5, 'block', 'refused'],
      [6, 'block', 'refused'],
      [7, 'pass', 'note'],
      [8, 'pass', 'miss'],
      [9, 'pass', 'excepted'],
      [10, 'pass', 'humble'],
      [11, 'block', 'pattern "default.ida?NNNN" from=shipped'],
      [12, 'block', 'refused'],
      [13, 'pass', 'malformed'],
    ],
  );
});

test('rows are in the order of the lines, whatever the order of their times, over all files', () => {
  const first = [line('/a', 200, { second: 30 }), line('/b', 404, { second: 10 }), '\n'];
  const second = [line('/c', 404, { second: 40 }), line('/d', 200, { second: 20 })];
  const logs = [write('one.log', first.join('')), write('two.log', second.join(''))];
  const { rows } = verdictsOf(logs);
  assert.deepEqual(
    rows.map(({ line, reason }) => [line, reason]),
    [
      [1, 'served'],
      [2, 'miss'],
      [3, 'empty'],
      [4, 'miss'],
      [5, 'served'],
    ],
  );
});

test('five different misses within a minute block a source, also what it asks for then', () => {
  const misses = Array.from({ length: 5 }, (_, index) =>
    line(`/m${index}`, 404, { second: index }),
  );
  const log = write(
    'source.log',
    [
      line('/page', 200),
      ...misses,
      line('/page', 200, { second: 10 }),
      line('/page', 200, { second: 10, from: '203.0.113.10' }),
    ].join(''),
  );
  const { rows, report } = verdictsOf([log]);
  assert.deepEqual(rows.at(6), { line: 7, verdict: 'block', reason: 'source misses=5 viruses=0' });
  assert.equal(rows.filter(({ verdict }) => verdict === 'block').length, 1);
  assert.match(report, /^ +1 {2}203\.0\.113\.9 {2}1 time, last for misses$/m);
  const off = write(
    'off.cfg',
    '[Accelerator x] Listen=127.0.0.1:8080 Origin=demo\n[Virus Sources] SourceBlocking=0\n',
  );
  const { rows: without } = verdictsOf([log], '--config', off);
  assert.ok(without.every(({ verdict }) => verdict === 'pass'));
});

test('pictures that a page of the site has lost do not count; those of another site do', () => {
  const page = (host: string) => `http://${host}/page`;
  const served = [
    line('/page', 200),
    line('/style.css', 200, { referer: page('site.example') }),
    line('/main.js', 200, { referer: page('site.example') }),
  ];
  const pictures = (host: string) =>
    Array.from({ length: 30 }, (_, index) => {
      return line(`/p${index}.png`, 404, { second: 1, referer: page(host) });
    });
  const own = write('own.log', [...served, ...pictures('site.example')].join(''));
  const { rows } = verdictsOf([own]);
  assert.deepEqual([...new Set(rows.slice(3).map(({ reason }) => reason))], ['referred']);
  const foreign = write('foreign.log', [...served, ...pictures('other.example')].join(''));
  assert.ok(verdictsOf([foreign]).rows.some((row) => reasonWord(row) === 'source'));
});

test('dead links on the pages of this site, and an office behind one address, are no scanners', () => {
  const page = { referer: 'http://site.example/page' };
  const served = [
    line('/page', 200),
    line('/style.css', 200, page),
    line('/main.js', 200, page),
    line('/logo.png', 200, page),
  ];
  const dead = Array.from({ length: 10 }, (_, index) => {
    return line(`/dead${index}`, 404, { second: index * 5, ...page });
  });
  const office = Array.from({ length: 50 }, (_, reader) => [
    line(`/page${reader}`, 200, { second: reader }),
    line('/favicon.ico', 404, { second: reader }),
    line('/apple-touch-icon.png', 404, { second: reader }),
    // An old link in a mail that all of them have.
    line('/moved', 404, { second: reader }),
  ]).flat();
  const { rows } = verdictsOf([write('office.log', [...served, ...dead, ...office].join(''))]);
  assert.ok(rows.every(({ verdict }) => verdict === 'pass'));
  assert.equal(rows.filter(({ reason }) => reason === 'referred').length, 10);
});

test('the first miss that holds a keyword teaches its window, which blocks everybody else', () => {
  const log = write(
    'learned.log',
    [
      line('/wp-login.php', 404),
      line('/wp-login.php', 404, { second: 1, from: '203.0.113.10' }),
      line('/blog/wp-login.php', 404, { second: 2, from: '203.0.113.11' }),
    ].join(''),
  );
  const { rows } = verdictsOf([log]);
  assert.deepEqual(rows.map(reasonWord), ['miss', 'learned', 'keyword']);
});

test('what was ever served is no miss and teaches nothing: a deploy that breaks every link for a minute', () => {
  const targets = ['/wp-login.php', ...Array.from({ length: 40 }, (_, index) => `/page${index}`)];
  const before = targets.map((target) => line(target, 200));
  const during = targets.map((target) => line(target, 404, { second: 30 }));
  const log = write('deploy.log', [...before, ...during].join(''));
  const { rows } = verdictsOf([log]);
  assert.ok(rows.slice(targets.length).every(({ reason }) => reason === 'once-served'));
});

test('a file of verdicts that cannot be written is told before anything is read', () => {
  const log = write('log.log', line('/', 200));
  const refused = (file: string, sentence: RegExp) => {
    const { code, stdout, stderr } = runCli(['tune', log, '--verdicts', file]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, sentence);
  };
  refused(join(folder, 'nowhere', 'v.tsv'), /v\.tsv: there is no folder .*nowhere$/m);
  refused(folder, /: it is no file that could be replaced/);
  refused(log, /log\.log: it is one of the logs/);
  assert.equal(readFileSync(log, 'latin1'), line('/', 200));
  if (process.getuid?.() !== 0) {
    const locked = mkdtempSync(join(folder, 'locked-'));
    chmodSync(locked, 0o500);
    refused(join(locked, 'v.tsv'), /v\.tsv: cannot be written: /);
  }
  assert.ok(!readdirSync(folder).some((name) => name.endsWith('.tmp')));
});

test('a bad log leaves what was read, and an older file of verdicts is replaced as a whole', () => {
  const file = write('old.tsv', 'older\n'.repeat(10));
  const log = write('good.log', line('/', 200));
  const { code } = runCli(['tune', join(folder, 'missing.log'), log, '--verdicts', file]);
  assert.equal(code, 1);
  assert.equal(readFileSync(file, 'latin1'), 'line\tverdict\treason\n1\tpass\tserved\n');
  assert.ok(existsSync(file));
});
