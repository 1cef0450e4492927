/**
 * The pattern database against a naive model: the state is the files, then every answered change,
 * in order. The run kills the process and loses power at random, cuts the journal at any byte,
 * damages it, fills the disk, and tears a rewriting; what was answered must be there after every
 * start.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DurableFile } from '../../src/log/durable-file.ts';
import { Statistics } from '../../src/statistics.ts';
import type { Outcome, Provenance } from '../../src/virus/change.ts';
import { PatternDatabase } from '../../src/virus/pattern-database.ts';
import { tunableNames } from '../../src/virus/tunables.ts';
import { CrashingDisk } from '../support/crashing-disk.ts';
import {
  applied,
  baseState,
  comparable,
  expectedOutcome,
  held,
  learning,
  Model,
  maxKeywords,
  type PlainChange,
  patternSize,
  tunables,
} from '../support/naive-database.ts';

const path = '/data/virus.journal';
/** The server and its disk. */
class Server {
  disk = new CrashingDisk();
  file!: DurableFile;
  database!: PatternDatabase;
  damagedCount = 0;

  async start(base: readonly PlainChange[]): Promise<void> {
    const bytes = Buffer.from(this.disk.read(path) ?? '');
    this.file = DurableFile.open(path, { fileSystem: this.disk });
    this.database = new PatternDatabase({
      patternSize,
      maxKeywords,
      learning,
      seed: 3,
      tunables,
      journal: this.file,
      journalBytesMax: 2_000,
      statistics: new Statistics(),
      warn: () => {},
    });
    assert.equal(this.database.loadBase(base).refusedCount, 0);
    this.damagedCount = this.database.recover(bytes).damagedCount;
    await this.database.tidyJournal();
  }

  /** The machine comes back with `text` in the journal and nothing else. */
  async reboot(text: string): Promise<void> {
    this.disk = new CrashingDisk();
    const file = DurableFile.open(path, { fileSystem: this.disk });
    file.append(text);
    await file.close();
  }
}

type Command = fc.AsyncCommand<Model, Server>;

function command(name: string, run: (model: Model, server: Server) => Promise<void>): Command {
  return {
    check: () => true,
    toString: () => name,
    async run(model, server) {
      await run(model, server);
      assert.deepEqual(comparable(held(server.database)), comparable(model.state));
    },
  };
}

async function commitBoth(
  model: Model,
  server: Server,
  changes: readonly PlainChange[],
): Promise<void> {
  const expected: Outcome['kind'][] = [];
  for (const change of changes) {
    const kind = expectedOutcome(model.state, change);
    expected.push(kind);
    if (kind === 'done') model.history.push(change);
  }
  const outcomes = await server.database.commit(changes);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind),
    expected,
  );
}

const commit = (changes: readonly PlainChange[]) =>
  command(`commit ${JSON.stringify(changes)}`, (model, server) =>
    commitBoth(model, server, changes),
  );

/** Killed after everything was answered; with `isPowerLoss` only what was synced is left. */
const kill = (isPowerLoss: boolean) =>
  command(isPowerLoss ? 'power loss' : 'kill -9', async (model, server) => {
    await server.database.idle();
    const text = isPowerLoss ? server.disk.readSynced(path) : server.disk.read(path);
    await server.reboot(text ?? '');
    await server.start(model.base);
  });

/** Killed while it writes a change that is never answered: it is there whole or not at all. */
const killWhileCommitting = (change: PlainChange, share: number) =>
  command(`kill in ${JSON.stringify(change)} at ${share}`, async (model, server) => {
    await server.database.idle();
    const before = server.disk.read(path) ?? '';
    const [outcome] = await server.database.commit([change]);
    await server.database.idle();
    const after = server.disk.read(path) ?? '';
    const isAppended = after.startsWith(before);
    const cut = isAppended
      ? after.slice(0, before.length + Math.round((after.length - before.length) * share))
      : after;
    if (outcome?.kind === 'done' && cut === after) model.history.push(change);
    await server.reboot(cut);
    await server.start(model.base);
  });

/** The disk dies in the middle of rewriting the journal, which is answered by nothing. */
const killWhileRewriting = (operation: number) =>
  command(`kill in rewriting at ${operation}`, async (model, server) => {
    await server.database.idle();
    server.disk.crashAt = server.disk.operations + operation;
    await server.database.rewriteJournal();
    await server.reboot(
      (operation % 2 ? server.disk.readSynced(path) : server.disk.read(path)) ?? '',
    );
    await server.start(model.base);
  });

const rewrite = () =>
  command('rewrite', async (_model, server) => {
    assert.equal(await server.database.rewriteJournal(), undefined);
  });

const fullDisk = (change: PlainChange, freeBytes: number) =>
  command(`full disk at ${JSON.stringify(change)}`, async (model, server) => {
    await server.database.idle();
    const expected = expectedOutcome(model.state, change);
    server.disk.freeBytes = freeBytes;
    const [outcome] = await server.database.commit([change]);
    await server.database.idle();
    server.disk.freeBytes = Number.POSITIVE_INFINITY;
    assert.equal(outcome?.kind, expected === 'done' ? 'refused' : expected);
  });

const dump = () =>
  command('dump', async (model, server) => {
    const outcome = await server.database.dump(0, async (lines) => void [...lines]);
    assert.equal(outcome.kind, 'done');
    model.dumped = model.state.patterns
      .map(
        ({ id }): PlainChange => ({
          kind: 'add',
          pattern: Uint8Array.from(Buffer.from(id.slice(0, patternSize), 'latin1')),
          origLength: Number(id.slice(patternSize + 1)),
          from: 'ncf',
          atMs: 1,
        }),
      )
      .concat(
        model.state.keywords.map(
          ({ id }): PlainChange => ({ kind: 'add-keyword', keyword: id, from: 'ncf', atMs: 1 }),
        ),
      );
  });

const reload = (shipped: readonly PlainChange[]) =>
  command(`reload ${JSON.stringify(shipped)}`, async (model, server) => {
    model.shipped = shipped;
    await server.database.rebase(model.base, {
      tunables: { ...tunables, MaxVirusPatterns: 6 },
      maxKeywords,
      learning,
    });
  });

const bytes = fc
  .constantFrom('aaaa', 'bbbb', 'cccc', 'dddd', 'e\0\0\0', '\xff"\\\n')
  .map((text) => Uint8Array.from(Buffer.from(text, 'latin1')));
const origLength = fc.constantFrom(1, 2);
const keyword = fc.constantFrom('cmd.exe', 'CMD.exe', 'root', '\xe9t\xe9', '"');
const from = fc.constantFrom<Provenance>('console', 'ncf', 'auto(cmd.exe)', 'auto("\xe9)');
const atMs = fc.integer({ min: 1, max: 2 ** 41 });

const change: fc.Arbitrary<PlainChange> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(bytes, origLength, from, atMs).map(
      ([pattern, length, who, at]): PlainChange => ({
        kind: 'add',
        pattern,
        origLength: length,
        from: who,
        atMs: at,
      }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(bytes, origLength)
      .map(([pattern, length]): PlainChange => ({ kind: 'del', pattern, origLength: length })),
  },
  { weight: 1, arbitrary: fc.constant<PlainChange>({ kind: 'clear' }) },
  {
    weight: 3,
    arbitrary: fc.tuple(keyword, from, atMs).map(
      ([word, who, at]): PlainChange => ({
        kind: 'add-keyword',
        keyword: word,
        from: who,
        atMs: at,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: keyword.map((word): PlainChange => ({ kind: 'del-keyword', keyword: word })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...tunableNames), fc.integer({ min: 0, max: 1 }))
      .map(([name, at]): PlainChange => {
        const value = { ...tunables, MaxVirusPatterns: 4 }[name];
        return { kind: 'set', name, value: name === 'EnablePatternAutoUpdate' ? at : value + at };
      }),
  },
);

/** Few enough of them that the limits of the files are never reached. */
const shippedFiles = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom('aaaa', 'bbbb', 'cccc', 'gggg'), { maxLength: 3 }),
    fc.uniqueArray(fc.constantFrom('cmd.exe', 'root'), { maxLength: 1 }),
  )
  .map(([texts, keywords]): PlainChange[] => [
    ...texts.map(
      (text): PlainChange => ({
        kind: 'add',
        pattern: Uint8Array.from(Buffer.from(text)),
        origLength: 1,
        from: 'shipped',
        atMs: 1,
      }),
    ),
    ...keywords.map(
      (word): PlainChange => ({ kind: 'add-keyword', keyword: word, from: 'shipped', atMs: 1 }),
    ),
  ]);

const unit = fc.integer({ min: 0, max: 20 }).map((part) => part / 20);

test('whatever happens, the database is the files and every answered change', async () => {
  const commands = fc.commands(
    [
      fc.array(change, { minLength: 1, maxLength: 4 }).map(commit),
      fc.array(change, { minLength: 1, maxLength: 4 }).map(commit),
      fc.array(change, { minLength: 1, maxLength: 4 }).map(commit),
      fc.boolean().map(kill),
      fc.tuple(change, unit).map(([next, share]) => killWhileCommitting(next, share)),
      fc.integer({ min: 0, max: 8 }).map(killWhileRewriting),
      fc.constant(undefined).map(rewrite),
      fc.tuple(change, fc.integer({ min: 0, max: 9 })).map(([next, free]) => fullDisk(next, free)),
      fc.constant(undefined).map(dump),
      shippedFiles.map(reload),
    ],
    { maxCommands: 40 },
  );
  await fc.assert(
    fc.asyncProperty(shippedFiles, commands, async (shipped, run) => {
      await fc.asyncModelRun(async () => {
        const model = new Model();
        model.shipped = shipped;
        const real = new Server();
        await real.start(model.base);
        return { model, real };
      }, run);
    }),
    { numRuns: 150, seed: 20010806 },
  );
});

test('the rewritten journal brings about the same state over the same files, order and all', async () => {
  await fc.assert(
    fc.asyncProperty(shippedFiles, fc.array(change, { maxLength: 40 }), async (base, changes) => {
      const server = new Server();
      await server.start(base);
      await server.database.commit(changes);
      await server.database.idle();
      const original = server.disk.read(path) ?? '';
      const state = held(server.database);
      await server.database.rewriteJournal();
      const rewritten = server.disk.read(path) ?? '';
      for (const text of [original, rewritten]) {
        await server.reboot(text);
        await server.start(base);
        assert.deepEqual(held(server.database), state);
      }
    }),
    { numRuns: 150, seed: 20050210 },
  );
});

test('damage in the middle of the journal costs the damaged changes and no other', async () => {
  const place = fc.tuple(unit, fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 3, maxLength: 20 }), place, async (...args) => {
      const [changes, [share, flip]] = args;
      const server = new Server();
      await server.start([]);
      const outcomes = await server.database.commit(changes);
      await server.database.idle();
      const kept = changes.filter((_, at) => outcomes[at]?.kind === 'done');
      const lines = (server.disk.read(path) ?? '').split('\n').slice(0, -1);
      if (lines.length < 3 || lines.length !== kept.length + 1) return;
      const damaged = 1 + Math.floor(share * (lines.length - 3));
      const bytes = Buffer.from(lines[damaged] ?? '');
      const at = Math.floor(share * (bytes.length - 1));
      bytes[at] = (bytes[at] ?? 0) ^ flip || 1;
      if (bytes.includes('\n') || bytes.toString('latin1') === lines[damaged]) return;
      const text = [
        ...lines.slice(0, damaged),
        bytes.toString('latin1'),
        ...lines.slice(damaged + 1),
      ];
      await server.reboot(`${text.join('\n')}\n`);
      await server.start([]);
      assert.equal(server.damagedCount, 1);
      const rest = kept.filter((_, index) => index !== damaged - 1);
      assert.deepEqual(held(server.database), rest.reduce(applied, baseState([])));
    }),
    { numRuns: 150, seed: 20020201 },
  );
});
