import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '../../../src/config/load.ts';
import { restartOnly } from '../../../src/config/restart.ts';
import { settingsTable } from '../../../src/config/settings.ts';

const rows = settingsTable.flatMap((section) =>
  Object.entries(section.rows).map(([key, row]) => ({ section, key, row })),
);

/** A configuration that is good but for one assignment. */
function faultKeys(sectionName: string, assignment: string): string[] {
  const isAccelerator = sectionName === 'Accelerator';
  const text = [
    isAccelerator ? '[Accelerator main]' : '[Accelerator main] Listen=127.0.0.1:8080 Origin=demo',
    isAccelerator ? '' : `[${sectionName}]`,
    assignment,
  ].join('\n');
  const loaded = loadSettings('PROXY.CFG', () => Buffer.from(text, 'latin1'));
  return loaded.ok ? [] : loaded.faults.map(({ key }) => key);
}

test('every default and every shipped value has the type of its row', () => {
  for (const { key, row } of rows) {
    if (row.required === true || row.numbered === true) continue;
    assert.ok(row.type.parse(row.default).ok, key);
  }
  for (const { key, row } of rows) {
    if (row.shipped !== undefined) assert.ok(row.type.parse(row.shipped).ok, key);
    if (row.example !== undefined) assert.ok(row.type.parse(row.example).ok, key);
  }
});

test('every row has prose of whole sentences', () => {
  for (const { key, row } of rows) assert.match(row.help, /^\S.*[.]$/, key);
  for (const section of settingsTable) assert.match(section.help, /^\S.*[.]$/, section.name);
});

test('no two keys of a section, and no two sections, differ in case only', () => {
  const names = settingsTable.map(({ name }) => name.toLowerCase());
  assert.equal(new Set(names).size, names.length);
  for (const section of settingsTable) {
    const keys = Object.keys(section.rows).map((key) => key.toLowerCase());
    assert.equal(new Set(keys).size, keys.length);
  }
});

test('every row is read: a bad value of any key is a fault of that key', () => {
  for (const { section, key } of rows) {
    const name = key === 'PatternN' ? 'Pattern1' : key;
    const bad = `${name}="\\q"`;
    assert.ok(faultKeys(section.name, bad).includes(name), `[${section.name}] ${bad}`);
  }
});

test('the rows that a reload cannot change are those compared for a restart', () => {
  const keys = rows.filter(({ row }) => !row.live).map(({ key }) => key);
  assert.deepEqual(keys, Object.keys(restartOnly));
});
