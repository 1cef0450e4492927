/** `wormgate tune` on the logs of real sites, and on logs that are not as they should be. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { projectPath } from '../support/paths.ts';
import { runCli } from '../support/wormgate.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-tune-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const siteA = projectPath('test/data/site-a-combined.log.gz');
const siteB = projectPath('test/data/site-b-combined.log.gz');

function write(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function configWith(...lines: string[]): string {
  return write(
    'PROXY.CFG',
    [
      '[Accelerator x] Listen=127.0.0.1:8080 Origin=demo',
      // What counting alone finds out.
      '[Virus Sources] SourceBlocking=0',
      '[Virus Pattern Configuration]',
      `PatternFiles=${projectPath('patterns/keywords.ncf')}`,
      ...lines,
    ].join('\n'),
  );
}

/** The lines for PROXY.CFG that a report recommends. */
function recommendedLines(report: string): string[] {
  const [, lines = ''] = /\[Virus Pattern Configuration\]\n((?:\w+=\d+\n)+)/.exec(report) ?? [];
  return lines.trim().split('\n');
}

test("on a small site the paper's settings never fire; tune finds it out, and what to set", () => {
  const { code, stdout } = runCli(['tune', siteA, '--config', configWith()]);
  assert.equal(code, 0);
  assert.match(stdout, /^1,212 lines, 1,210 requests from 2025-12-17 /m);
  assert.match(
    stdout,
    /nothing would ever become suspect: the busiest window\ncame 14 times within 10 seconds/,
  );
  assert.match(stdout, /^Ave Non Virus Hit Rate: 0\.00$/m);
  const lines = recommendedLines(stdout);
  assert.deepEqual(
    lines.map((line) => line.replace(/\d+$/, '')),
    ['EnablePatternAutoUpdate=', 'HitThreshold=', 'RefreshInterval='],
  );
  assert.ok(stdout.split('\n').every((line) => line.length <= 80));
  const [, verified = ''] = stdout.split('Replayed with');
  assert.match(verified, /^Learned: \d+ patterns \(with/m);
  assert.match(
    verified,
    /^Blocked: \d+ requests from \d+ address(es)? .*; none of\nthem was served/m,
  );
  // The recommendation, set, does what it says.
  const again = runCli(['tune', siteA, '--config', configWith(...lines)]).stdout;
  const learned = (report: string) => /^Learned: (\d+) patterns \(with/m.exec(report)?.[1];
  assert.equal(learned(again), learned(verified));
  assert.doesNotMatch(again, /nothing would ever become suspect/);
});

test('a site without attacks gets a threshold above its own busiest page', () => {
  const { code, stdout } = runCli(['tune', siteB]);
  assert.equal(code, 0);
  assert.match(stdout, /^10,000 lines, 10,000 requests /m);
  assert.match(stdout, /^Suspected: none$/m);
  const [, threshold = '', seconds = ''] =
    /HitThreshold=(\d+)\nRefreshInterval=(\d+)/.exec(stdout) ?? [];
  const row = new RegExp(`^ +${seconds} s .* (\\d+)$`, 'm').exec(stdout);
  assert.ok(Number(threshold) > Number(row?.[1]));
});

test('plain and packed logs, several and the standard input give the same', () => {
  const plain = write('plain.log', gunzipSync(readFileSync(siteA)));
  const report = runCli(['tune', siteA]).stdout;
  assert.equal(runCli(['tune', plain]).stdout, report);
  const lines = readFileSync(plain, 'latin1').split(/(?<=\n)/);
  const first = write('first.log', Buffer.from(lines.slice(0, 500).join(''), 'latin1'));
  const second = write('second.gz', gzipSync(Buffer.from(lines.slice(500).join(''), 'latin1')));
  assert.equal(runCli(['tune', first, second]).stdout, report);
});

test('malformed lines are counted and shown, and nothing is fatal', () => {
  const good = '203.0.113.9 - - [06/Aug/2001:09:58:58 -0600] "GET /a HTTP/1.1" 200 1\n';
  const file = write('bad.log', `${good}what is this\n\n${'x'.repeat(100_000)}\n\x00\x01\n${good}`);
  const { code, stdout } = runCli(['tune', file]);
  assert.equal(code, 0);
  assert.match(stdout, /^5 lines, 2 requests from /m);
  assert.match(stdout, /^3 malformed lines$/m);
  assert.ok(stdout.includes(`${file}:2: what is this`.slice(0, 70)), stdout);
  assert.ok(stdout.split('\n').every((line) => /^[ -~]{0,80}$/.test(line)));
});

test('a log without requests, and an empty one, are told', () => {
  for (const text of ['', '[console] virus list\n']) {
    const { code, stdout } = runCli(['tune', write('empty.log', text)]);
    assert.equal(code, 0);
    assert.match(stdout, /There is no request to learn from\./);
  }
});

test('what cannot be read is told, the others are read, and the exit code says so', () => {
  const torn = write('torn.gz', readFileSync(siteA).subarray(0, 5_000));
  const result = runCli(['tune', torn, join(folder, 'nowhere.log'), folder, siteB]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /torn\.gz: the gzip file is cut off; what came before was read/);
  assert.match(result.stderr, /nowhere\.log: there is no such file/);
  assert.match(result.stderr, /: it is a folder; name the files in it/);
  assert.match(result.stdout, /^10,\d+ lines/m);
  assert.equal(runCli(['tune', join(folder, 'nowhere.log')]).code, 1);
});

test('a bad configuration is refused with every fault, and a missing log with the usage', () => {
  const bad = runCli(['tune', siteA, '--config', configWith('HitThreshold=0', 'Mode=x')]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /HitThreshold.*\n.*Mode/);
  assert.equal(runCli(['tune']).code, 1);
});

test('what was blocked and proposed is told with the reason', () => {
  const line = (second: number, target: string, status: number) => {
    const time = `06/Aug/2001:09:58:${String(second).padStart(2, '0')} +0000`;
    return `203.0.113.9 - - [${time}] "GET ${target} HTTP/1.1" ${status} 1\n`;
  };
  const lines = [line(0, '/wp-admin/admin-ajax.php?a=1', 200)];
  for (let count = 0; count < 5; count += 1)
    lines.push(line(1, '/wp-admin/admin-ajax.php?x=cmd.exe', 404));
  for (let count = 0; count < 5; count += 1) lines.push(line(2, '/scripts/root.exe?/c+dir', 404));
  const file = write('worms.log', lines.join(''));
  const { stdout } = runCli(['tune', file, '--config', configWith('HitThreshold=3')]);
  assert.match(
    stdout,
    /^Learned: 1 pattern \(with[^)]+\)\n +1 {2}"scripts\/root\.exe" {2}keyword "\/root\.exe"/m,
  );
  assert.match(
    stdout,
    /^Proposed instead of learned: 1 pattern\n {2}"wp-admin\/admin-a" {2}window served: keyword ".*cmd\.exe"$/m,
  );
  assert.match(stdout, /^Suspected: 2 windows, 2 times$/m);
  assert.match(stdout, /^Blocked: 1 request from 1 address; none of them was served/m);
});

test('a wrong time, and logs in the wrong order, are told and do not distort the counts', () => {
  const line = (time: string, status = 404) =>
    `203.0.113.9 - - [${time}] "GET /scripts/root.exe?/c+dir HTTP/1.1" ${status} 1\n`;
  const of = (day: number) =>
    Array.from({ length: 5 }, () => line(`0${day}/Aug/2001:09:58:58 +0000`));
  const newer = write('access.log', of(7).join(''));
  const older = write(
    'access.log.1',
    [...of(6), line('06/Aug/2091:09:58:58 +0000'), line('99/Aug/2001:09:58:58 +0000')].join(''),
  );
  const { code, stdout } = runCli(['tune', newer, older, '--config', configWith('HitThreshold=3')]);
  assert.equal(code, 0);
  assert.match(stdout, /^The time steps back 1 time: several logs\?$/m);
  assert.match(stdout, /^1 gap of more than 31 days, not counted as time$/m);
  assert.match(stdout, /^1 malformed line$/m);
  assert.match(stdout, /^12 lines, 11 requests from 2001-08-06/m);
  assert.match(stdout, /about 264 a\nday$/m);
});
