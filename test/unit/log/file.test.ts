/** Log files: batches, bounds, full disks and rotation. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Clock } from '../../../src/clock.ts';
import { LogFile, type LogFileOptions, LogFiles, type LogHandle } from '../../../src/log/file.ts';
import { Statistics } from '../../../src/statistics.ts';

let folder = '';
let path = '';
let statistics = new Statistics();
let warnings: string[] = [];
/** What the hand-turned clock would do next, by delay. */
let timers: { delayMs: number; action: () => void; cancelled: boolean }[] = [];

const clock: Clock = {
  nowMs: () => 0,
  after(delayMs, action) {
    const timer = { delayMs, action, cancelled: false };
    timers.push(timer);
    return {
      cancel() {
        timer.cancelled = true;
      },
    };
  },
  every: () => assert.fail('a log file has no periodic timer'),
};

function options(changes: Partial<LogFileOptions> = {}): LogFileOptions {
  const warn = (sentence: string): void => void warnings.push(sentence);
  return { path, backlogBytesMax: 1 << 20, clock, statistics, warn, ...changes };
}

/** A file in memory; `writable` says how many bytes the next writes take, then it fails. */
class TestDisk {
  text = '';
  writable = Number.POSITIVE_INFINITY;
  /** Bytes taken at most by one write. */
  writeBytesMax = Number.POSITIVE_INFINITY;
  opened = 0;
  closed = 0;

  readonly openFile = async (): Promise<LogHandle> => {
    this.opened += 1;
    return {
      write: async (bytes, offset) => {
        if (this.writable === 0) throw new Error('ENOSPC: no space left on device, write');
        const room = Math.min(bytes.length - offset, this.writeBytesMax, this.writable);
        this.text += bytes.toString('latin1', offset, offset + room);
        this.writable -= room;
        return { bytesWritten: room };
      },
      endsTorn: async () => this.text !== '' && !this.text.endsWith('\n'),
      close: async () => {
        this.closed += 1;
      },
    };
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wormgate-log-'));
  path = join(folder, 'PROXY.LOG');
  statistics = new Statistics();
  warnings = [];
  timers = [];
});

afterEach(() => rm(folder, { recursive: true }));

test('lines are appended in order, after what the file held', async () => {
  await writeFile(path, 'earlier\n');
  const file = new LogFile(options());
  assert.ok(file.append('one'));
  assert.ok(file.append('two'));
  await file.close();
  assert.equal(await readFile(path, 'latin1'), 'earlier\none\ntwo\n');
  assert.equal(statistics.get('log_lines'), 2);
  assert.equal(statistics.get('log_lines_lost'), 0);
});

test('a new log file can be read by its group and by no one else', async () => {
  const file = new LogFile(options());
  file.append('one');
  await file.close();
  assert.equal((await stat(path)).mode & 0o137, 0);
});

test('a small batch waits for one timer of 100 ms', async () => {
  const file = new LogFile(options());
  file.append('one');
  file.append('two');
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [100],
  );
  timers[0]?.action();
  await file.flush();
  assert.equal(await readFile(path, 'latin1'), 'one\ntwo\n');
  await file.close();
});

test('64 KiB are written without waiting for a timer', async () => {
  const disk = new TestDisk();
  const file = new LogFile(options({ openFile: disk.openFile }));
  for (let count = 0; count < 70; count += 1) file.append('x'.repeat(1023));
  await file.drained();
  await new Promise((done) => setImmediate(done));
  assert.equal(disk.text.length, 64 * 1024);
  await file.close();
  assert.equal(disk.text.length, 70 * 1024);
  assert.equal(disk.closed, 1);
});

test('a line break inside a line cannot make a second line', async () => {
  const file = new LogFile(options());
  file.append('one\r\nforged');
  await file.close();
  assert.equal(await readFile(path, 'latin1'), 'one%0D%0Aforged\n');
});

test('lines beyond the backlog bound are lost and counted', async () => {
  const file = new LogFile(options({ backlogBytesMax: 10 }));
  assert.ok(file.append('1234'));
  assert.ok(file.append('5678'));
  assert.ok(!file.append('9'));
  await file.flush();
  assert.ok(file.append('next'));
  await file.close();
  assert.equal(await readFile(path, 'latin1'), '1234\n5678\nnext\n');
  assert.equal(statistics.get('log_lines'), 3);
  assert.equal(statistics.get('log_lines_lost'), 1);
});

test('a writer that waits for drained loses nothing of 100,000 lines', async () => {
  const file = new LogFile(options({ backlogBytesMax: 256 * 1024 }));
  const line = 'x'.repeat(99);
  for (let count = 0; count < 100_000; count += 1) {
    if (count % 1000 === 0) await file.drained();
    file.append(line);
  }
  await file.close();
  assert.equal((await stat(path)).size, 10_000_000);
  assert.equal(statistics.get('log_lines_lost'), 0);
});

test('a full disk loses its batch, is told once, and the recovery too', async () => {
  const disk = new TestDisk();
  const file = new LogFile(options({ openFile: disk.openFile }));
  disk.writable = 0;
  file.append('lost one');
  file.append('lost two');
  await file.flush();
  file.append('lost three');
  await file.flush();
  assert.equal(statistics.get('log_lines_lost'), 3);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /PROXY\.LOG: lines are being lost: ENOSPC/);
  disk.writable = Number.POSITIVE_INFINITY;
  file.append('kept');
  await file.close();
  assert.equal(disk.text, 'kept\n');
  assert.equal(warnings.length, 2);
  assert.match(warnings[1] ?? '', /written again; 3 lines were lost/);
});

test('a line that a full disk cut short is ended before the next begins', async () => {
  const disk = new TestDisk();
  const file = new LogFile(options({ openFile: disk.openFile }));
  file.append('whole');
  file.append('cut short');
  file.append('lost');
  disk.writable = 'whole\ncut'.length;
  await file.flush();
  assert.equal(statistics.get('log_lines_lost'), 2);
  disk.writable = Number.POSITIVE_INFINITY;
  file.append('next');
  await file.close();
  assert.equal(disk.text, 'whole\ncut\nnext\n');
});

test('a line that a crash cut short is ended before the next begins', async () => {
  await writeFile(path, 'whole\ncut');
  const file = new LogFile(options());
  file.append('next');
  await file.close();
  assert.equal(await readFile(path, 'latin1'), 'whole\ncut\nnext\n');
});

test('short writes are carried on where they stopped', async () => {
  const disk = new TestDisk();
  disk.writeBytesMax = 3;
  const file = new LogFile(options({ openFile: disk.openFile }));
  file.append('one line');
  file.append('another');
  await file.close();
  assert.equal(disk.text, 'one line\nanother\n');
});

test('after reopen the old file and the new one hold every line whole', async () => {
  const file = new LogFile(options());
  const old = join(folder, 'PROXY.LOG.1');
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} ${'x'.repeat(100)}`);
  for (const line of lines.slice(0, 3000)) file.append(line);
  await file.flush();
  await rename(path, old);
  for (const line of lines.slice(3000, 4000)) file.append(line);
  const reopened = file.reopen();
  for (const line of lines.slice(4000)) file.append(line);
  await reopened;
  await file.close();
  const both = (await readFile(old, 'latin1')) + (await readFile(path, 'latin1'));
  assert.equal(both, `${lines.join('\n')}\n`);
  assert.ok((await stat(path)).size > 0);
  assert.equal(statistics.get('log_lines_lost'), 0);
});

test('reopen makes the new file at once', async () => {
  const file = new LogFile(options());
  await file.reopen();
  assert.equal((await stat(path)).size, 0);
  await file.close();
});

test('when the path cannot be reopened, lines go on to the old file', async () => {
  const disk = new TestDisk();
  let refuse = false;
  const openFile = async (): Promise<LogHandle> => {
    if (refuse) throw new Error('EACCES: permission denied');
    return disk.openFile();
  };
  const file = new LogFile(options({ openFile }));
  file.append('one');
  await file.flush();
  refuse = true;
  await file.reopen();
  assert.match(warnings[0] ?? '', /reopening: EACCES/);
  file.append('two');
  await file.close();
  assert.equal(disk.text, 'one\ntwo\n');
  assert.equal(disk.closed, 1);
});

test('open reports a path that cannot be opened, with its name', async () => {
  const file = new LogFile(options({ path: join(folder, 'missing', 'PROXY.LOG') }));
  const opened = await file.open();
  assert.ok(!opened.ok);
  assert.match(opened.message, /cannot open the log file .*missing\/PROXY\.LOG: ENOENT/);
  await file.close();
});

test('a file that could not be opened is tried again for the next line', async () => {
  await writeFile(join(folder, 'later'), '');
  const file = new LogFile(options({ path: join(folder, 'later', 'PROXY.LOG') }));
  file.append('lost');
  await file.flush();
  assert.equal(statistics.get('log_lines_lost'), 1);
  await rm(join(folder, 'later'));
  const later = join(folder, 'later');
  await mkdir(later);
  file.append('kept');
  await file.close();
  assert.equal(await readFile(join(later, 'PROXY.LOG'), 'latin1'), 'kept\n');
});

test('lines appended after close are lost and counted', async () => {
  const file = new LogFile(options());
  file.append('one');
  await file.close();
  assert.ok(!file.append('two'));
  assert.equal(await readFile(path, 'latin1'), 'one\n');
  assert.equal(statistics.get('log_lines_lost'), 1);
});

test('the registry gives one file for each absolute path, and reopens and closes them all', async () => {
  const files = new LogFiles(options());
  const proxyLog = files.get(path);
  assert.equal(files.get(join(folder, '.', 'x', '..', 'PROXY.LOG')), proxyLog);
  const other = files.get(join(folder, 'CONSOLE.LOG'));
  assert.notEqual(other, proxyLog);
  proxyLog.append('one');
  other.append('two');
  await proxyLog.flush();
  await rename(path, join(folder, 'PROXY.LOG.1'));
  await files.reopenAll();
  proxyLog.append('three');
  await files.closeAll();
  assert.equal(await readFile(join(folder, 'PROXY.LOG.1'), 'latin1'), 'one\n');
  assert.equal(await readFile(path, 'latin1'), 'three\n');
  assert.equal(await readFile(other.path, 'latin1'), 'two\n');
});

test('the registry closes what is no longer wanted, after its lines are written, and forgets it', async () => {
  const files = new LogFiles(options());
  const proxyLog = files.get(path);
  const old = files.get(join(folder, 'OLD.LOG'));
  old.append('last');
  await files.keepOnly([join(folder, 'x', '..', 'PROXY.LOG')]);
  assert.equal(await readFile(old.path, 'latin1'), 'last\n');
  assert.ok(!old.append('too late'));
  assert.equal(files.get(path), proxyLog);
  assert.notEqual(files.get(old.path), old);
  await files.closeAll();
});
