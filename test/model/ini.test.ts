import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIni } from '../../src/config/ini.ts';
import { formatFault, loadSettings } from '../../src/config/load.ts';
import { quote } from '../../src/config/quoted.ts';
import { record, renderSettings, settingsModel } from '../support/settings-model.ts';

function load(text: string) {
  return loadSettings('/etc/PROXY.CFG', (file) =>
    Buffer.from(file.endsWith('.ncf') ? '' : text, 'latin1'),
  );
}
// A naive model of the file: sections of entries, written on as few or as many lines as it likes.

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/);
const bareValue = fc.stringMatching(/^[a-z0-9.:/?&;#*-]{1,12}$/);
const quotedValue = fc.string({ unit: 'binary-ascii', maxLength: 12 }).map(quote);
const value = fc.oneof(
  bareValue,
  quotedValue,
  fc
    .array(fc.oneof(bareValue, quotedValue), { minLength: 2, maxLength: 4 })
    .map((parts) => parts.join(', ')),
);
const entry = record({ key: word, value });
const section = record({
  name: fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' ')),
  entries: fc.array(entry, { maxLength: 4 }),
});
const gap = fc.constantFrom(' ', '\t ', '\n', '\r\n', '\n; a comment = 1 [x]\n\n', '\n  # b\n');

test('sections and entries are found whether they share lines or not', () => {
  fc.assert(
    fc.property(fc.array(section), fc.array(gap, { minLength: 1 }), (sections, gaps) => {
      const items = sections.flatMap(({ name, entries }) => [
        `[${name}]`,
        ...entries.map(({ key, value: text }) => `${key}=${text}`),
      ]);
      const text = items.map((item, index) => item + gaps[index % gaps.length]).join('');
      const parsed = parseIni(text);
      assert.deepEqual(parsed.faults, []);
      const found = parsed.sections.map(({ name, entries }) => ({
        name,
        entries: entries.map(({ key, value: read }) => ({ key, value: read })),
      }));
      assert.deepEqual(found, sections);
    }),
  );
});

test('random text never throws, and its faults have lines that exist', () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    '=',
    '"',
    '\\',
    ',',
    ';',
    '#',
    ' ',
    '\n',
    '\r',
    ':',
    '/',
  );
  const names = fc.constantFrom(
    '[Virus Pattern Configuration]',
    '[Accelerator a]',
    '[Admin]',
    'Listen=',
    'Origin=demo',
    'Pattern1=',
    'NoOfVirusPatterns=9',
    'NeverBlock=',
    '127.0.0.1:80',
  );
  const anything = fc.string({ unit: 'binary', maxLength: 6 });
  const text = fc.array(fc.oneof(pieces, names, anything), { maxLength: 40 });
  fc.assert(
    fc.property(text, (parts) => {
      const written = parts.join('');
      parseIni(written);
      const latin1 = Buffer.from(written, 'latin1').toString('latin1');
      const loaded = load(latin1);
      if (loaded.ok) return;
      assert.ok(loaded.faults.length > 0);
      const { lineCount } = parseIni(latin1);
      for (const fault of loaded.faults) {
        assert.ok(fault.line >= 0 && fault.line <= lineCount + 1, formatFault(fault));
        assert.match(formatFault(fault), /^\/etc\/PROXY\.CFG.*: \S/);
      }
    }),
    { numRuns: 500 },
  );
});

test('any settings rendered and read again are the same', () => {
  fc.assert(
    fc.property(settingsModel, fc.constantFrom('\n', '\r\n'), (settings, lineEnd) => {
      const loaded = load(renderSettings(settings).join(lineEnd));
      assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'));
      assert.deepEqual(loaded.settings, settings);
    }),
    { numRuns: 200 },
  );
});
