import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  DurableFile,
  DurableFileError,
  keepCopy,
  writeAtomically,
} from '../../../src/log/durable-file.ts';
import { CrashingDisk } from '../../support/crashing-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'wormgate-durable-'));
after(() => rmSync(folder, { recursive: true }));

const path = '/data/virus.journal';

function onDisk(): { disk: CrashingDisk; file: DurableFile } {
  const disk = new CrashingDisk();
  return { disk, file: DurableFile.open(path, { fileSystem: disk }) };
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof DurableFileError && error.code === code;
}

test('appended text is in the file, and an opened file is appended to at its end', async () => {
  const real = join(folder, 'appended');
  const first = DurableFile.open(real);
  first.append('one\n');
  await first.close();
  const second = DurableFile.open(real);
  assert.equal(second.size, 4);
  second.append('two\n');
  assert.equal(second.size, 8);
  await second.close();
  assert.equal(readFileSync(real, 'utf8'), 'one\ntwo\n');
  assert.equal(statSync(real).mode & 0o777, 0o600);
});

test('a file in a folder that is not there is refused with the system code', () => {
  assert.throws(() => DurableFile.open(join(folder, 'absent', 'file')), hasCode('ENOENT'));
});

test('an append that fills the disk leaves the file as it was and the next one works', () => {
  const { disk, file } = onDisk();
  file.append('first\n');
  disk.freeBytes = 3;
  assert.throws(() => file.append('second\n'), hasCode('ENOSPC'));
  assert.equal(disk.read(path), 'first\n');
  assert.equal(file.size, 6);
  disk.freeBytes = 100;
  file.append('third\n');
  assert.equal(disk.read(path), 'first\nthird\n');
});

test('what a failed append left is cut off before the next append, even if it could not be at once', () => {
  const { disk, file } = onDisk();
  file.append('first\n');
  disk.freeBytes = 9;
  disk.failing.add('ftruncateSync');
  assert.throws(() => file.append('a long second line\n'), hasCode('ENOSPC'));
  assert.equal(disk.read(path), 'first\na long se');
  disk.freeBytes = 100;
  assert.throws(() => file.append('x\n'), hasCode('EIO'));
  disk.failing.clear();
  file.append('x\n');
  assert.equal(disk.read(path), 'first\nx\n');
});

test('a write that the system takes in pieces lands whole', () => {
  const disk = new CrashingDisk();
  const write = disk.writeSync.bind(disk);
  disk.writeSync = (fd, bytes, offset, length, at) =>
    write(fd, bytes, offset, Math.min(length, 2), at);
  const file = DurableFile.open(path, { fileSystem: disk });
  file.append('in pieces\n');
  assert.equal(disk.read(path), 'in pieces\n');
});

test('callers that wait for a sync at the same time share one', async () => {
  const { disk, file } = onDisk();
  file.append('one\n');
  const first = file.sync();
  file.append('two\n');
  const others = [file.sync(), file.sync(), file.sync()];
  await first;
  assert.equal(disk.readSynced(path), 'one\n');
  await Promise.all(others);
  assert.equal(disk.readSynced(path), 'one\ntwo\n');
  assert.equal(disk.syncs, 2);
  await file.sync();
  assert.equal(disk.syncs, 2);
});

test('a sync asked for as another one ends covers what was appended before it', async () => {
  const { disk, file } = onDisk();
  const done: Promise<void>[] = [];
  for (let number = 0; number < 5; number++) {
    file.append(`${number}\n`);
    const expected = disk.read(path) ?? '';
    done.push(
      file.sync().then(() => {
        assert.ok(disk.readSynced(path)?.startsWith(expected));
        file.append('more\n');
        const longer = disk.read(path) ?? '';
        return file.sync().then(() => assert.ok(disk.readSynced(path)?.startsWith(longer)));
      }),
    );
  }
  await Promise.all(done);
  await file.close();
  assert.equal(disk.openCount, 0);
});

test('a sync that fails rejects for all who share it, and a later one is tried again', async () => {
  const { disk, file } = onDisk();
  file.append('one\n');
  disk.failing.add('fdatasync');
  await assert.rejects(file.sync(), hasCode('EIO'));
  disk.failing.clear();
  await file.sync();
  assert.equal(disk.readSynced(path), 'one\n');
});

test('replaced content is durable when the promise resolves, and appends go behind it', async () => {
  const { disk, file } = onDisk();
  file.append('old\n');
  const sync = file.sync();
  await file.replace(['new\n', 'lines\n']);
  await sync;
  assert.equal(disk.readSynced(path), 'new\nlines\n');
  file.append('more\n');
  assert.equal(disk.read(path), 'new\nlines\nmore\n');
  assert.deepEqual(disk.paths, [path]);
  await file.close();
  assert.equal(disk.openCount, 0);
});

test('a replacement waits for a sync that is under way before it closes the old file', async () => {
  const { disk, file } = onDisk();
  const sync = disk.fdatasync.bind(disk);
  disk.fdatasync = (fd, done) => setTimeout(() => sync(fd, done), 20);
  file.append('old\n');
  const synced = file.sync();
  await file.replace(['new\n']);
  await synced;
  await file.close();
  assert.equal(disk.readSynced(path), 'new\n');
});

test('a replacement of many megabytes lets other work run in between', async () => {
  const real = join(folder, 'large');
  const file = DurableFile.open(real);
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const line = `${'x'.repeat(99)}\n`;
  await file.replace(
    (function* () {
      for (let number = 0; number < 50_000; number++) yield line;
    })(),
  );
  isDone = true;
  assert.ok(turns > 10);
  assert.equal(file.size, 5_000_000);
  assert.equal(statSync(real).size, 5_000_000);
  await file.close();
});

test('a replacement for which there is no room leaves the old content and no second file', async () => {
  const { disk, file } = onDisk();
  file.append('old\n');
  disk.freeBytes = 5;
  await assert.rejects(file.replace(['much longer than five bytes\n']), hasCode('ENOSPC'));
  assert.equal(disk.read(path), 'old\n');
  assert.deepEqual(disk.paths, [path]);
  disk.freeBytes = 100;
  file.append('more\n');
  assert.equal(disk.read(path), 'old\nmore\n');
  assert.equal(disk.openCount, 1);
});

test('lines that cannot be produced leave the old content', async () => {
  const { disk, file } = onDisk();
  file.append('old\n');
  const lines = (function* () {
    yield 'new\n';
    throw new Error('no more lines');
  })();
  await assert.rejects(file.replace(lines), /no more lines/);
  assert.equal(disk.read(path), 'old\n');
  assert.deepEqual(disk.paths, [path]);
});

test('an append during a replacement is refused, not lost', async () => {
  const { file } = onDisk();
  const replacing = file.replace(['new\n']);
  assert.throws(() => file.append('more\n'), DurableFileError);
  await assert.rejects(file.replace(['other\n']), DurableFileError);
  await replacing;
  file.append('more\n');
  assert.equal(file.size, 9);
});

test('after a rename that could not be synced the next sync makes up for it or fails', async () => {
  const { disk, file } = onDisk();
  await file.replace(['old\n']);
  disk.failing.add('fsyncSync');
  await assert.rejects(file.replace(['new\n']), hasCode('EIO'));
  file.append('more\n');
  await assert.rejects(file.sync(), hasCode('EIO'));
  disk.failing.clear();
  await file.sync();
  assert.equal(disk.readSynced(path), 'new\nmore\n');
});

test('at whatever operation the power goes, what was answered is on the disk', async () => {
  const scenario = async (disk: CrashingDisk): Promise<string[]> => {
    // The contents that a reader may find: the last one answered, and those under way.
    let possible = [''];
    try {
      const file = DurableFile.open(path, { fileSystem: disk });
      const step = async (next: string, run: () => Promise<void>) => {
        possible.push(next);
        await run();
        possible = [next];
      };
      const append = (text: string) => async () => {
        file.append(text);
        await file.sync();
      };
      await step('1\n', append('1\n'));
      await step('1\n22\n', append('22\n'));
      await step('333\n', () => file.replace(['333\n']));
      await step('333\n4444\n', append('4444\n'));
    } catch (error) {
      assert.ok(error instanceof DurableFileError);
    }
    return possible;
  };
  const whole = new CrashingDisk();
  await scenario(whole);
  assert.ok(whole.operations > 12);
  for (let at = 0; at < whole.operations; at++) {
    const disk = new CrashingDisk();
    disk.crashAt = at;
    const possible = await scenario(disk);
    for (const found of [disk.read(path) ?? '', disk.readSynced(path) ?? '']) {
      const fits = possible.some((text) => found === text || isTornFrom(found, possible, text));
      assert.ok(fits, `${JSON.stringify(found)} is none of ${JSON.stringify(possible)} (${at})`);
    }
  }
});

/** Whether `found` is `text` cut short in the line that was being appended. */
function isTornFrom(found: string, possible: readonly string[], text: string): boolean {
  const before = possible[0] ?? '';
  return text.startsWith(before) && text.startsWith(found) && found.length >= before.length;
}

test('writeAtomically makes or replaces a file and leaves nothing beside it', async () => {
  const real = join(folder, 'VIRPAT.NCF');
  await writeAtomically(real, ['one\n']);
  await writeAtomically(real, ['two\n', 'three\n']);
  assert.equal(readFileSync(real, 'utf8'), 'two\nthree\n');
  assert.equal(statSync(real).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('VIRPAT')),
    ['VIRPAT.NCF'],
  );
});

test('writeAtomically without room leaves the old file', async () => {
  const disk = new CrashingDisk();
  await writeAtomically(path, ['old\n'], { fileSystem: disk });
  disk.freeBytes = 2;
  await assert.rejects(writeAtomically(path, ['new\n'], { fileSystem: disk }), hasCode('ENOSPC'));
  assert.equal(disk.read(path), 'old\n');
  assert.equal(disk.openCount, 0);
});

test('keepCopy never overwrites an earlier copy', () => {
  const real = join(folder, 'damaged');
  writeFileSync(real, 'one');
  assert.equal(keepCopy(real, 'size16'), `${real}.size16`);
  writeFileSync(real, 'two');
  assert.equal(keepCopy(real, 'size16'), `${real}.size16.2`);
  assert.equal(readFileSync(`${real}.size16`, 'utf8'), 'one');
  assert.equal(readFileSync(`${real}.size16.2`, 'utf8'), 'two');
  assert.throws(() => keepCopy(join(folder, 'none'), 'x'), hasCode('ENOENT'));
});

test('a full device refuses the append', { skip: !existsSync('/dev/full') }, () => {
  const file = DurableFile.open('/dev/full');
  assert.throws(() => file.append('anything\n'), hasCode('ENOSPC'));
});

test('at the limit of the file size an append is cut back to what was there', () => {
  const real = join(folder, 'limited');
  const module = new URL('../../../src/log/durable-file.js', import.meta.url).href;
  const program = `
    const { DurableFile } = await import(${JSON.stringify(module)});
    const file = DurableFile.open(${JSON.stringify(real)});
    const line = 'x'.repeat(299) + '\\n';
    let count = 0;
    try { for (;;) { file.append(line); count += 1; } }
    catch (error) { console.log(error.code, count, file.size); }
  `;
  // The unit of ulimit -f is 1024 bytes in bash.
  const shell = 'ulimit -f 2; exec "$0" --input-type=module -e "$1"';
  // A coverage report of the child would be cut at the limit as well, and break the parent's.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const command = ['-c', shell, process.execPath, program];
  const run = spawnSync('bash', command, { encoding: 'utf8', env });
  assert.equal(run.stdout, 'EFBIG 6 1800\n', run.stderr);
  assert.equal(statSync(real).size, 1800);
});
