import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderScreen, renderShow } from '../../../src/admin/screen.ts';
import { sampleSnapshot } from '../../support/console-context.ts';

test('virus show prints the labels of the screen in their order', () => {
  assert.deepEqual(renderShow(sampleSnapshot).split('\n'), [
    'No Of Patterns: 3',
    'Pattern Size: 16',
    'Pattern Start Offset: 1',
    'Refresh Interval: 10',
    'Hit Threshold: 250',
    'Virus Auto Update: 0',
    'Virus Requests: 41',
    'Non Virus Requests: 5200',
    'Recommend Threshold: 33',
    'Max Non Virus Hit Rate: 52',
    'Ave Virus Hit Rate: 0.50',
    'Ave Non Virus Hit Rate: 13.13',
    'Virus Source IP Address: 2001:db8::7, 203.0.113.9',
    'Last Predicted Request: -',
  ]);
});

const differing = {
  ...sampleSnapshot,
  hitThreshold: 300,
  differences: [
    { name: 'HitThreshold', configured: 250, inForce: 300 },
    { name: 'MaxVirusPatterns', configured: 100_000, inForce: 50 },
  ],
};

test('virus show marks what differs from PROXY.CFG, also what has no label', () => {
  const lines = renderShow({ ...differing, mode: 'detect' }).split('\n');
  assert.ok(lines.includes('Hit Threshold: 300 (PROXY.CFG: 250)'));
  assert.deepEqual(lines.slice(-2), [
    'MaxVirusPatterns: 50 (PROXY.CFG: 100000)',
    'Mode: detect (nothing is blocked)',
  ]);
});

test('nothing that a client sent can break a line of the screen', () => {
  const hostile = {
    ...sampleSnapshot,
    lastPredictedRequest: '/a\nVirus Requests: 0\x1b[2J',
    virusSources: [{ address: 'x\r\ny', atMs: 0, count: 1 }],
  };
  assert.ok(
    renderShow(hostile).endsWith('Last Predicted Request: /a\\x0aVirus Requests: 0\\x1b[2J'),
  );
  for (const line of renderScreen(hostile, { columns: 80, rows: 24 })) {
    assert.match(line, /^[\x20-\x7e]*$/);
  }
});

test('on 80 by 22 everything is on the screen, ten sources included', () => {
  const virusSources = Array.from({ length: 10 }, (_, index) => ({
    address: `2001:db8:1111:2222:3333:4444:5555:${index}`,
    atMs: 1_700_000_000_000,
    count: index,
  }));
  const text = renderScreen({ ...differing, virusSources }, { columns: 80, rows: 22 }).join('\n');
  for (const { address } of virusSources) assert.ok(text.includes(address));
  for (const line of renderShow(sampleSnapshot).split('\n')) {
    const label = line.split(': ')[0] ?? '';
    assert.ok(text.includes(label), label);
  }
  assert.match(text, /Hit Threshold {8}: 300 \*/);
  assert.match(text, /\* in PROXY.CFG: HitThreshold=250/);
});

test('on 40 columns the figures stand below each other', () => {
  const lines = renderScreen(sampleSnapshot, { columns: 40, rows: 30 });
  assert.ok(lines.includes('  No Of Patterns       : 3'));
  assert.ok(lines.includes('  Virus Requests         : 41'));
});

test('the screen never exceeds the terminal, whatever its size', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      (columns, rows) => {
        const lines = renderScreen(differing, { columns, rows });
        assert.ok(lines.length <= rows);
        for (const line of lines) assert.ok(line.length <= columns);
      },
    ),
  );
});
