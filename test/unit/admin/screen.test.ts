import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderScreen, renderShow } from '../../../src/admin/screen.ts';
import { scrolled, viewOf } from '../../../src/cli/live-screen.ts';
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

test('of a long suspect the beginning is shown', () => {
  const lastPredictedRequest = `GET /${'x'.repeat(8_000)} HTTP/1.0`;
  const lines = renderScreen({ ...differing, lastPredictedRequest }, { columns: 80, rows: 22 });
  assert.match(lines.join(''), /Last Predicted Request: GET \/x[x ]+\.\.\.$/);
  assert.ok(lines.length <= 22);
});

test('no line is longer than the terminal is wide, and nothing is left out', () => {
  const lastPredictedRequest = `GET /default.ida?${'N'.repeat(214)}%u9090%u00=a  HTTP/1.0`;
  const whole = { ...differing, lastPredictedRequest, proposedPatterns: 2, learnedPatterns: 7 };
  const letters = (text: string) => text.replace(/\s/g, '');
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 200 }), (columns) => {
      const lines = renderScreen(whole, { columns, rows: 10 });
      for (const line of lines) assert.ok(line.length <= columns, line);
      const text = letters(lines.join(''));
      for (const part of [
        lastPredictedRequest,
        '2001:db8::7',
        'Learned Patterns: 7',
        'Proposed Patterns: 2 ("virus list" shows why)',
      ]) {
        assert.ok(text.includes(letters(part)), `${part} at ${columns}`);
      }
    }),
    { seed: 6 },
  );
});

test('what does not fit is reached by scrolling, each line of it once from page to page', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 200 }),
      fc.integer({ min: 4, max: 60 }),
      (columns, rows) => {
        const content = renderScreen(differing, { columns, rows: rows - 1 });
        const seen: string[] = [];
        for (let top = 0; ; ) {
          const view = viewOf(content, { columns, rows }, top);
          assert.ok(view.lines.length <= rows);
          for (const line of view.lines) assert.ok(line.length <= columns);
          assert.match(view.lines.at(-1) ?? '', /q: back/);
          seen.push(...view.lines.slice(seen.length - view.top, -1));
          if (view.top + rows - 1 >= content.length) break;
          top = scrolled('page-down', view.top, rows - 1);
        }
        assert.deepEqual(seen, content);
      },
    ),
    { seed: 7 },
  );
});

test('keys never lead beyond the first or the last line', () => {
  const content = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const size = { columns: 40, rows: 11 };
  const top = (wanted: number) => viewOf(content, size, wanted).top;
  assert.equal(top(scrolled('up', 0, 10)), 0);
  assert.equal(top(scrolled('page-down', 15, 10)), 20);
  assert.equal(top(scrolled('end', 0, 10)), 20);
  assert.equal(top(scrolled('home', 20, 10)), 0);
  assert.equal(top(scrolled('down', 3, 10)), 4);
  assert.equal(top(scrolled('other', 3, 10)), 3);
  assert.match(
    viewOf(content, size, 20).lines.at(-1) ?? '',
    /^q: back +PgUp PgDn +lines 21-30 of 30$/,
  );
});
