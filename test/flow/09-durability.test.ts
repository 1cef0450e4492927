/**
 * What survives a crash: an answered command survives kill -9 at any moment; a journal with
 * a torn end or with damage in it is taken as far as it is whole, and the rest is reported.
 */
import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ConsoleState, obey, openConsole, stateOf } from '../support/console-lines.ts';
import { inLanes } from '../support/lanes.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate, type Wormgate } from '../support/wormgate.ts';

const { url: origin } = await startOrigin({ after }, (_request, answer) => answer.end('served\n'));

async function restart(wormgate: Wormgate): Promise<void> {
  await wormgate.stop('SIGKILL');
  await wormgate.start();
}

/** The pattern that blocks `/NAME.ida`, in quotation marks. */
function patternOf(name: string): string {
  return `"${`${name}.ida HTTP/1.1`.slice(0, 16)}"`;
}

async function isBlocked(wormgate: Wormgate, name: string): Promise<boolean> {
  const answer = await askRaw(wormgate.port, `GET /${name}.ida HTTP/1.1`);
  if (isSlipped(answer)) return true;
  assert.equal(statusOf(answer), 200, answer.text);
  return false;
}

test('every answered command survives a kill -9 that follows at once', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  const one = `${patternOf('one')} -o 385`;
  const two = `${patternOf('two')} -o 9`;
  const steps: readonly (readonly [line: string, told: RegExp, blocked: string])[] = [
    [`virus add -p ${one}`, /"one\.ida HTTP\/1\.1" +385 +console/, 'one'],
    ['virus add -k cmd.exe', /"cmd\.exe" +console/, 'one'],
    ['virus -t 301 -r 11', /Refresh Interval: 11 [\s\S]*Hit Threshold: 301 /, 'one'],
    [`virus add -p ${two}`, /"two\.ida HTTP\/1\.1" +9 +console/, 'one two'],
    ['virus -e 1', /Virus Auto Update: 1/, 'one two'],
    ['virus -m 4711', /MaxVirusPatterns: 4711/, 'one two'],
    ['virus del -k cmd.exe', /There are no keywords/, 'one two'],
    [`virus del -p ${one}`, /"two\.ida HTTP\/1\.1" +9/, 'two'],
    ['virus -c', /There are no patterns/, ''],
  ];
  for (const [line, told, blocked] of steps) {
    await obey(wormgate, line);
    await restart(wormgate);
    const replies = await obey(wormgate, 'virus list', 'virus list -k', 'virus show');
    assert.match(replies.join('\n'), told, line);
    for (const name of ['one', 'two']) {
      assert.equal(await isBlocked(wormgate, name), blocked.includes(name), `${line}: ${name}`);
    }
  }
  const screen = (await obey(wormgate, 'virus show')).join('');
  assert.match(screen, /Hit Threshold: 301 /);
  assert.match(screen, /Refresh Interval: 11 /);
  assert.equal(wormgate.stderr, '');
});

type Random = (below: number) => number;

/** A small random source, so that a failure can be repeated. */
function randomSource(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const names = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'];

function randomCommand(random: Random): string {
  const pattern = `${patternOf(`p${random(names.length)}`)} -o ${1 + random(2)}`;
  const keyword = `word${random(3)}`;
  const kind = random(16);
  if (kind === 0) return 'virus -c';
  if (kind === 1) return `virus -t ${200 + random(50)}`;
  if (kind === 2) return `virus -r ${5 + random(50)} -e ${random(2)}`;
  if (kind === 3) return `virus add -k ${keyword}`;
  if (kind === 4) return `virus del -k ${keyword}`;
  return `virus ${kind < 9 ? 'del' : 'add'} -p ${pattern}`;
}

/** What one command makes of a state; a naive second opinion. */
function applied(state: ConsoleState, line: string): ConsoleState {
  const [, verb, pattern, origLength] = /^virus (add|del) -p (".*") -o (\d+)$/.exec(line) ?? [];
  const [, wordVerb, keyword] = /^virus (add|del) -k (\S+)$/.exec(line) ?? [];
  const change = (rows: readonly string[], row: string, isAdd: boolean) => {
    const others = rows.filter((each) => each !== row);
    return isAdd ? [...others, row].sort() : others;
  };
  if (verb !== undefined) {
    const row = `${pattern} ${origLength}`;
    return { ...state, patterns: change(state.patterns, row, verb === 'add') };
  }
  if (wordVerb !== undefined) {
    return { ...state, keywords: change(state.keywords, `"${keyword}"`, wordVerb === 'add') };
  }
  if (line === 'virus -c') return { ...state, patterns: [] };
  const [, letter, value] = /^virus -([tre]) (\d+)$/.exec(line) ?? [];
  if (letter === 't') return { ...state, threshold: Number(value) };
  if (letter === 'r') return { ...state, interval: Number(value) };
  assert.equal(letter, 'e', line);
  return { ...state, autoUpdate: Number(value) };
}

/** A line that sets two values makes two changes, one after the other. */
function singleChanges(line: string): string[] {
  const [, first, second] = /^virus (-r \d+) (-e \d)$/.exec(line) ?? [];
  return first === undefined ? [line] : [`virus ${first}`, `virus ${second}`];
}

/** Sends batches of random commands until the server is killed; gives them in their order. */
async function commandUntilKilled(wormgate: Wormgate, random: Random) {
  const client = await openConsole(wormgate);
  const answered: string[] = [];
  const unanswered: string[] = [];
  const batchesBefore = random(6);
  const killDelayMs = random(8);
  let answeredBatches = 0;
  let isDoomed = false;
  const send = async () => {
    if (answeredBatches >= batchesBefore && !isDoomed) {
      isDoomed = true;
      setTimeout(() => wormgate.signal('SIGKILL'), killDelayMs);
    }
    const lines = Array.from({ length: 1 + random(30) }, () => randomCommand(random));
    const answer = await client.send(lines, 'console');
    (answer.ok ? answered : unanswered).push(...lines.flatMap(singleChanges));
    answeredBatches += 1;
    return answer.ok;
  };
  // Two batches are on their way at once: answers come in the order of the batches.
  const lane = async () => {
    while (await send());
  };
  await Promise.all([lane(), lane()]);
  client.close();
  await wormgate.stop('SIGKILL');
  return { answered, unanswered };
}

test('16 rounds of random commands, killed at a random moment, lose nothing that was answered', async (t) => {
  let answeredCount = 0;
  await inLanes([1, 2], 2, async (seed) => {
    const random = randomSource(seed);
    const wormgate = await startWormgate(t, { origin });
    let state = await stateOf(wormgate);
    for (let round = 1; round <= 8; round += 1) {
      const { answered, unanswered } = await commandUntilKilled(wormgate, random);
      answeredCount += answered.length;
      await wormgate.start();
      const found = await stateOf(wormgate);
      // Of what was not answered any first part may have happened, in its order.
      const possible = [answered.reduce(applied, state)];
      for (const line of unanswered) possible.push(applied(possible.at(-1) ?? state, line));
      const where = `seed ${seed}, round ${round}`;
      assert.ok(
        possible.some((each) => JSON.stringify(each) === JSON.stringify(found)),
        `${where}: ${JSON.stringify({ found, state, answered, unanswered })}`,
      );
      for (const name of names) {
        const isThere = found.patterns.some((row) => row.startsWith(patternOf(name)));
        assert.equal(await isBlocked(wormgate, name), isThere, `${where}: ${name}`);
      }
      state = found;
    }
    assert.doesNotMatch(wormgate.stderr, /damaged/);
  });
  assert.ok(answeredCount > 200, `${answeredCount} commands were answered`);
});

test('a last line of the journal that was torn is dropped with a warning, and the rest is kept', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  const journal = join(wormgate.dataFolder, 'virus.journal');
  const add = (name: string) => obey(wormgate, `virus add -p ${patternOf(name)} -o 1`);
  const row = (name: string) => `${patternOf(name)} 1`;
  await add('first');
  await add('second');
  for (const cut of [1, 2, 40]) {
    await add('third');
    await wormgate.stop('SIGKILL');
    truncateSync(journal, statSync(journal).size - cut);
    wormgate.stderr = '';
    await wormgate.start();
    assert.match(wormgate.stderr, /virus\.journal:4: [^\n]*torn by a crash/);
    assert.ok(wormgate.stderr.startsWith(`wormgate: ${journal}:4: `), wormgate.stderr);
    assert.equal(wormgate.stderr.trimEnd().split('\n').length, 1, wormgate.stderr);
    assert.deepEqual((await stateOf(wormgate)).patterns, [row('first'), row('second')]);
    assert.equal(await isBlocked(wormgate, 'third'), false);
  }
  await add('third');
  wormgate.stderr = '';
  await restart(wormgate);
  assert.equal(wormgate.stderr, '', 'what was torn is gone from the file');
  assert.deepEqual(
    (await stateOf(wormgate)).patterns,
    ['first', 'second', 'third'].map((name) => row(name)),
  );
});

test('damage within the journal is reported with its line, a copy is kept, and so is the rest', async (t) => {
  const wormgate = await startWormgate(t, { origin });
  const words = ['one', 'two', 'three', 'four', 'five'];
  await obey(wormgate, ...words.map((name) => `virus add -p "${name}" -o 1`));
  await wormgate.stop('SIGKILL');
  const journal = join(wormgate.dataFolder, 'virus.journal');
  const lines = readFileSync(journal, 'latin1').split('\n');
  // One bit of the second record, and a page of the fourth that the disk never wrote.
  lines[2] = (lines[2] ?? '').replace('two', 'tvo');
  lines[4] = '\0'.repeat(40);
  const damaged = lines.join('\n');
  writeFileSync(journal, damaged, 'latin1');
  await wormgate.start();
  for (const line of [3, 5]) {
    assert.ok(wormgate.stderr.includes(`${journal}:${line}: The record is damaged`), `${line}`);
  }
  assert.deepEqual((await stateOf(wormgate)).patterns, ['"five" 1', '"one" 1', '"three" 1']);
  assert.ok(wormgate.stderr.includes(`a copy was kept as ${journal}.damaged\n`), wormgate.stderr);
  assert.equal(readFileSync(`${journal}.damaged`, 'latin1'), damaged);
  await obey(wormgate, 'virus add -p "two" -o 1');
  wormgate.stderr = '';
  await restart(wormgate);
  const { patterns } = await stateOf(wormgate);
  assert.deepEqual(patterns, ['"five" 1', '"one" 1', '"three" 1', '"two" 1']);
  assert.equal(wormgate.stderr, '', 'the damage was reported once');
});
