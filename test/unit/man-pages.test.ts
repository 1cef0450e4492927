/** The man pages, read by the formatter that prints them, where it is installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { manPages } from '../../scripts/man-pages.ts';
import { prose, synopsis } from '../../scripts/roff.ts';
import { commandTable } from '../../src/admin/commands.ts';
import { settingsTable } from '../../src/config/settings.ts';
import { projectPath } from '../support/paths.ts';

/** A page as it is seen, without the blanks that fill its lines; undefined without groff. */
function printed(path: string): string | undefined {
  const { error, stdout, stderr } = spawnSync(
    'groff',
    ['-man', '-ww', '-Tutf8', '-P-cbou', '-rLL=200n', projectPath(path)],
    { encoding: 'utf8', timeout: 60_000 },
  );
  if (error !== undefined) {
    assert.ok('code' in error && error.code === 'ENOENT', String(error));
    return undefined;
  }
  assert.equal(stderr, '', path);
  return stdout.replace(/\u2010\n\s*/g, '').replace(/\s+/g, ' ');
}

for (const { path } of manPages) {
  test(`${path} is printed without a warning`, () => {
    const text = printed(path);
    assert.ok(text === undefined || text.includes('NAME'), text);
  });
}

test('every console command and its examples are seen as they are typed', () => {
  const text = printed('man/virus.1');
  for (const example of commandTable.flatMap(({ examples }) => examples)) {
    assert.ok(text === undefined || text.includes(` ${example} `), example);
  }
});

test('every key of every section is in PROXY.CFG(5)', () => {
  const text = printed('man/PROXY.CFG.5');
  for (const { name, rows } of settingsTable) {
    assert.ok(text === undefined || text.includes(`[${name}`), name);
    for (const key of Object.keys(rows)) {
      assert.ok(text === undefined || text.includes(` ${key} `), key);
    }
  }
});

test('no text is taken for a request of the formatter', () => {
  assert.equal(prose('.so it begins'), '\\&.so it begins');
  assert.equal(prose('a \\ and `-x`, …'), 'a \\e and \\fB\\-x\\fR, \\[u2026]');
  assert.equal(synopsis('[--data DIR]'), '[\\fB\\-\\-data \\fR\\fIDIR\\fR]');
});
