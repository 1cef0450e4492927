/**
 * A full disk: commands that must be durable are refused in words, PROXY.LOG loses lines and
 * counts them, everything else goes on; when there is space again, all of it works again.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { obey, openConsole, stateOf } from '../support/console-lines.ts';
import { inLanes } from '../support/lanes.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { limitFileSize, mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { makeWormgate, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('served\n'));
const fault = '(no space left on the disk|the file is too large|ENOSPC|EFBIG)';

/** Commands on the full disk; gives how many adds the rest of the last page still took. */
async function checkRefusals(wormgate: Wormgate): Promise<number> {
  const dumpFile = join(wormgate.dataFolder, 'VIRPAT.NCF');
  const dumped = readFileSync(dumpFile, 'latin1');
  const client = await openConsole(wormgate);
  const lines = Array.from({ length: 200 }, (_, index) => `virus add -p "full${index}" -o 5`);
  // A record of another kind is shorter and may find the room that an add does not.
  const short = Array.from({ length: 200 }, (_, index) => `virus -e ${index % 2}`);
  const others = ['virus dump', 'virus list', 'virus show'];
  const answer = await client.send([...lines, ...short, ...others], 'console');
  client.close();
  assert.ok(answer.ok);
  const [dump, list, show] = answer.replies.slice(-3);
  const taken = answer.replies.slice(0, 200).filter(({ ok }) => ok).length;
  assert.ok(taken < 100, `${taken} were taken`);
  const refusal = answer.replies[150]?.text ?? '';
  assert.match(
    refusal,
    RegExp(`^The journal cannot be written, so nothing was changed: .*${fault}`),
  );
  assert.equal(dump?.ok, false);
  assert.match(dump?.text ?? '', RegExp(`^VIRPAT\\.NCF could not be written: .*${fault}`));
  assert.equal(readFileSync(dumpFile, 'latin1'), dumped);
  assert.ok(list?.ok && show?.ok);
  assert.ok((await wormgate.counter('journal_failures')) >= 100);
  for (const args of [
    ['add', '-p', 'never.ida HTTP/1', '-o', '5'],
    ['del', '-p', 'before.ida HTTP/', '-o', '5'],
  ]) {
    const { code, stdout, stderr } = wormgate.virus(...args);
    assert.deepEqual([code, stdout], [1, ''], args.join(' '));
    assert.match(stderr, RegExp(`The journal cannot be written, .*${fault}`), args.join(' '));
  }
  return taken;
}

/** Requests on the full disk, until lines of PROXY.LOG are lost. */
async function checkService(wormgate: Wormgate): Promise<void> {
  const answers = await inLanes(Array.from({ length: 300 }), 8, () =>
    askRaw(wormgate.port, 'GET /served HTTP/1.1'),
  );
  assert.ok(answers.every((each) => statusOf(each) === 200));
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /before.ida HTTP/1.1')));
  assert.equal(statusOf(await askRaw(wormgate.port, 'GET /never.ida HTTP/1.1')), 200);
  await until(async () => (await wormgate.counter('log_lines_lost')) > 0);
  const loss = RegExp(`PROXY\\.LOG: lines are being lost: .*${fault}`);
  await until(() => loss.test(wormgate.stderr));
}

async function checkFullDisk(wormgate: Wormgate, disk: SmallDisk): Promise<void> {
  await obey(wormgate, 'virus add -p "before.ida HTTP/" -o 5', 'virus dump');
  await until(() => wormgate.log().includes('Wrote 1 pattern'));
  disk.fill();
  const taken = await checkRefusals(wormgate);
  await checkService(wormgate);

  disk.free();
  await obey(wormgate, 'virus add -p "after.ida HTTP/1" -o 5', 'virus dump');
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /after.ida HTTP/1.1')));
  await wormgate.logLine(/\/after\.ida/);
  await until(() => /PROXY\.LOG: written again; \d+ lines were lost/.test(wormgate.stderr));
  const before = await stateOf(wormgate);
  assert.equal(before.patterns.length, 2 + taken);
  assert.equal(before.threshold, 250);
  wormgate.stderr = '';
  await wormgate.stop('SIGKILL');
  await wormgate.start();
  assert.equal(wormgate.stderr, '', 'nothing half written was left behind');
  assert.deepEqual(await stateOf(wormgate), before);
  const begins = ['[console] ', '127.0.0.1 - - ['];
  for (const line of wormgate.log().trimEnd().split('\n')) {
    // The full disk may have cut a line short, even within its first word; the next has its own line.
    assert.ok(
      begins.some((each) => line.startsWith(each) || each.startsWith(line)),
      line,
    );
  }
  for (const left of ['virus.journal.new', 'VIRPAT.NCF.new']) {
    assert.equal(existsSync(join(wormgate.dataFolder, left)), false, left);
  }
}

test('on a disk that is full commands are refused and everything else goes on; with space they work again', async (t) => {
  const wormgate = await makeWormgate(t, { origin });
  const disk = mountSmallDisk(t);
  if (disk === undefined) return t.skip('this process may not mount a tmpfs');
  symlinkSync(disk.folder, wormgate.dataFolder);
  await wormgate.start();
  await checkFullDisk(wormgate, disk);
});

test('the same where the limit is the size that the process may give to files', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  const disk = limitFileSize(wormgate.pid);
  if (disk === undefined) return t.skip('prlimit is not there');
  await checkFullDisk(wormgate, disk);
});
