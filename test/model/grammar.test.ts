/** The console's grammar against arbitrary input: nothing throws, and what is written is read back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commandChanges } from '../../src/admin/changes.ts';
import { commandTable, type OptionRow } from '../../src/admin/commands.ts';
import { type OptionValue, parseLine, renderCommand } from '../../src/admin/grammar.ts';
import { consoleLine } from '../../src/cli/arguments.ts';
import { formatPattern } from '../../src/virus/pattern.ts';

const latin1 = fc
  .uint8Array({ maxLength: 80 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const someBytes = fc
  .uint8Array({ minLength: 1, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));

/** Pieces of commands in any order, to reach deeper than random bytes do. */
const shuffled = fc
  .array(
    fc.constantFrom(
      ...['virus', 'VIRUS', 'add', 'del', 'list', 'run', '-p', '/o', '-k', '-t', '-e', '-c', '-h'],
      ...[
        '-?',
        '"',
        '"x"',
        '"\\x0',
        '\\',
        '385',
        '0',
        '-1',
        '-pk',
        ' ',
        '\t',
        '\r',
        '\n',
        'cmd.exe',
      ],
    ),
    { maxLength: 12 },
  )
  .chain((words) => fc.constantFrom(words.join(' '), words.join('')));

function optionValue(option: OptionRow): fc.Arbitrary<OptionValue> {
  if (option.kind === 'flag') return fc.constant(true as const);
  if (option.kind === 'string') return someBytes;
  return fc.integer({ min: option.min, max: option.max });
}

const formLine = fc.constantFrom(...commandTable).chain((row) =>
  fc.record(
    {
      word: fc.constant(row.word),
      options: fc
        .tuple(...row.options.map((option) => optionValue(option)))
        .map(
          (values) =>
            new Map(row.options.map((option, index) => [option.letter, values[index] ?? true])),
        ),
      operand: row.operand === undefined ? fc.constant(undefined) : someBytes,
      asksHelp: fc.constant(row.options.some(({ letter }) => letter === 'h' || letter === '?')),
    },
    { noNullPrototype: true },
  ),
);

test('no bytes make the grammar throw, and every refusal is one printable line', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        latin1,
        shuffled,
        latin1.map((text) => `virus ${text}`),
      ),
      (line) => {
        const result = parseLine(line);
        if (!result.ok) assert.match(result.message, /^Column \d+: [\x20-\x7e…]+$/);
      },
    ),
    { numRuns: 3000 },
  );
});

test('every form of every command, rendered and parsed again, is the same command', () => {
  fc.assert(
    fc.property(formLine, (command) => {
      const result = parseLine(renderCommand(command));
      assert.ok(result.ok, result.ok ? '' : result.message);
      assert.deepEqual(result.command, command);
    }),
    { numRuns: 2000 },
  );
});

test('a line that is understood means the same after rendering', () => {
  fc.assert(
    fc.property(shuffled, (line) => {
      const first = parseLine(line);
      if (!first.ok) return;
      const second = parseLine(renderCommand(first.command));
      assert.ok(second.ok);
      assert.deepEqual(second.command, first.command);
    }),
    { numRuns: 3000 },
  );
});

test('any 16 bytes can be written in a command, dumped and read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (pattern) => {
      const parsed = parseLine(`virus add -p "${formatPattern(pattern)}" -o 385`);
      assert.ok(parsed.ok);
      const made = commandChanges(parsed.command, { patternSize: 16, from: 'console', atMs: 0 });
      assert.ok(made.ok);
      const [change] = made.changes;
      assert.ok(change?.kind === 'add');
      assert.deepEqual([...change.pattern], [...pattern]);
    }),
  );
});

test('any pattern survives the way through a shell, escaped as the console asks', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 16 }), (bytes) => {
      const escaped = formatPattern(bytes);
      const typed = consoleLine(['add', '-p', escaped, '-o', '385']);
      assert.ok(typed.ok);
      assert.equal(typed.line, `virus add -p "${escaped}" -o 385`);
    }),
  );
});

test('printable text without backslashes is taken from a shell as it is', () => {
  const text = fc
    .stringMatching(/^[\x20-\x5b\x5d-\x7e]{1,16}$/)
    .filter((each) => !(each.startsWith('"') && each.endsWith('"')));
  fc.assert(
    fc.property(text, (keyword) => {
      const typed = consoleLine(['add', '-k', keyword]);
      assert.ok(typed.ok);
      const parsed = parseLine(typed.line);
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.message);
      assert.equal(parsed.command.options.get('k'), keyword);
    }),
  );
});
