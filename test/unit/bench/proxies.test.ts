/** The pure parts of the benchmark of proxies: what it reads, reckons and draws. Measures nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aimWord, judgeAims } from '../../../scripts/bench/proxies/aims.ts';
import { drawChart, scaleEnd } from '../../../scripts/bench/proxies/chart.ts';
import { renderChart, renderDocument } from '../../../scripts/bench/proxies/document.ts';
import {
  type Figures,
  median,
  medianFigures,
  percentile,
} from '../../../scripts/bench/proxies/figures.ts';
import { type Options, parseOptions } from '../../../scripts/bench/proxies/options.ts';
import { parseStat } from '../../../scripts/bench/proxies/process-time.ts';
import type { Results } from '../../../scripts/bench/proxies/results.ts';
import { relayScenario, scenarios } from '../../../scripts/bench/proxies/scenarios.ts';
import { loadTable, markdown, plainText } from '../../../scripts/bench/proxies/tables.ts';
import { fillTemplate } from '../../../scripts/bench/proxies/template.ts';
import { parseWrk } from '../../../scripts/bench/proxies/wrk.ts';

const wrkOutput = `Running 5s test @ http://127.0.0.1:8080/1k
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.52ms    2.11ms  40.10ms   97.92%
    Req/Sec    42.46k     7.41k   50.87k    60.00%
  Latency Distribution
     50%  592.00us
     75%    1.10ms
     90%    1.30ms
     99%    1.01s
  213213 requests in 5.01s, 262.11MB read
  Socket errors: connect 1, read 12, write 3, timeout 4
  Non-2xx or 3xx responses: 213
Requests/sec:  42642.12
Transfer/sec:     52.42MB
`;

test('a report of wrk is read, with its units and errors', () => {
  assert.deepEqual(parseWrk(wrkOutput), {
    requestCount: 213_213,
    seconds: 5.01,
    p50Ms: 0.592,
    p99Ms: 1_010,
    errors: { connect: 1, read: 12, write: 3, timeout: 4 },
    refusedCount: 213,
  });
});

test('a report of wrk without answers has no latencies', () => {
  const output = '  Latency Distribution\n     50%    0.00us\n  0 requests in 5.00s, 0.00B read\n';
  const report = parseWrk(output);
  assert.equal(report?.requestCount, 0);
  assert.equal(report?.p50Ms, undefined);
});

test('what is no report of wrk is none', () => {
  assert.equal(parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n'), undefined);
});

test('a line of /proc/PID/stat is read whatever the name of the program', () => {
  const line = '17 (a) b (c) S 4 17 17 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7';
  assert.deepEqual(parseStat(line), { pid: 17, parentPid: 4, ticks: 127 });
  assert.equal(parseStat('nothing'), undefined);
});

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.throws(() => median([]));
});

test('a percentile is the nearest rank', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  assert.equal(percentile(values, 0.99), 198);
  assert.equal(percentile([7], 0.5), 7);
});

function figures(cpuUs: number): Figures {
  return { requestsPerSecond: 1e6 / cpuUs, cpuUs, p50Ms: 1, p99Ms: 2 };
}

test('the median of figures is that of each of them, and a fault of any round stays', () => {
  const rounds = [figures(10), { ...figures(30), p50Ms: undefined, fault: 'read 3' }, figures(20)];
  const { cpuUs, p50Ms, fault } = medianFigures(rounds);
  assert.deepEqual([cpuUs, p50Ms, fault], [20, 1, 'read 3']);
});

const results: Results = {
  loads: [
    { scenario: 'relay-1k-64', peer: 'nginx', logsOn: false, figures: figures(20) },
    { scenario: 'relay-1k-64', peer: 'http-proxy', logsOn: false, figures: figures(110) },
    { scenario: 'relay-1k-64', peer: 'modsecurity', logsOn: false, figures: figures(640) },
    { scenario: 'relay-1k-64', peer: 'wormgate', logsOn: false, figures: figures(22) },
  ],
  floods: [],
  screening: [{ patternCount: 255, offNs: 2, onNs: 46, addedNs: 44 }],
  leftOut: ['Varnish was left out: not installed: varnish'],
};

test('a table has the ratios to the peers that were measured, and gaps for the others', () => {
  const table = loadTable(results, relayScenario, false);
  assert.deepEqual(table?.head.slice(5), ['× nginx', '× HAProxy', '× http-proxy']);
  const row = table?.rows.find(([title]) => title === 'wormgate');
  assert.deepEqual(row?.slice(2), ['22.0', '1.00', '2.00', '1.10', '', '0.20']);
  assert.equal(loadTable(results, relayScenario, true), undefined);
});

test('every row of a table has a cell for each column', () => {
  for (const scenario of scenarios) {
    const loads = scenario.peers.map((peer) => ({
      scenario: scenario.name,
      peer,
      logsOn: false,
      figures: figures(30),
    }));
    const table = loadTable({ ...results, loads }, scenario, false);
    for (const row of table?.rows ?? []) assert.equal(row.length, table?.head.length, row[0]);
  }
});

test('aims are reached, missed or not measured', () => {
  const words = judgeAims(results).map((aim) => [aim.wanted, aim.found, aimWord(aim)]);
  assert.deepEqual(words.slice(0, 4), [
    ['≤ 1.0 × nginx', '1.10 ×', 'missed'],
    ['≤ 1.0 × HAProxy', '', 'not measured'],
    ['≥ 5 times less than http-proxy', '5.00 ×', 'reached'],
    ['≥ 25 times less than nginx + ModSecurity + CRS', '29.09 ×', 'reached'],
  ]);
  const scanning = words.find(([wanted]) => wanted?.startsWith('≤ 0.37 %'));
  assert.deepEqual(scanning?.slice(1), ['0.20 %', 'reached']);
});

test('a flood that was not of the wanted size proves nothing', () => {
  const times = { quietP50Ms: 1, quietP99Ms: 2, floodP50Ms: 1, floodP99Ms: 3 };
  const found = (busyShare: number) => {
    const flood = { ...times, floodPerSecond: 9_000, busyShare };
    const floods = [{ peer: 'wormgate', figures: flood }] as const;
    return judgeAims({ ...results, floods }).find(({ title }) => title.startsWith('p99'));
  };
  assert.equal(found(0.83)?.found, '1.50 ×');
  assert.equal(found(0.5)?.reached, undefined);
});

test('tables are printed in columns and as Markdown', () => {
  const table = {
    title: 'a',
    head: ['', 'x'],
    rows: [
      ['one', '1'],
      ['b', '22'],
    ],
    note: 'n',
  };
  assert.equal(plainText(table), 'a\n        x\none     1\nb      22\nn\n');
  assert.equal(markdown(table), '|  | x |\n| --- | --: |\n| one | 1 |\n| b | 22 |\n\nn');
});

test('a template keeps the lines of its log mode and misses no value', () => {
  const text = '@on log {{FILE}}\n@off quiet\nport {{PORT}}\n';
  assert.equal(fillTemplate(text, true, { FILE: 'a', PORT: 1 }), 'log a\nport 1\n');
  assert.equal(fillTemplate(text, false, { PORT: 1 }), 'quiet\nport 1\n');
  assert.throws(() => fillTemplate(text, false, {}), /PORT/);
});

/** Throws unless every element that is opened is closed in its order. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  for (const [, closing, name = '', self] of xml.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (closing === '/') assert.equal(open.pop(), name);
    else if (self !== '/') open.push(name);
  }
  assert.deepEqual(open, []);
  const text = xml.replace(/<style>[^<]*<\/style>/, '').replace(/<[^<>]*>/g, '');
  assert.ok(!/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(text), text);
}

test('the drawing is well-formed, whatever the labels hold', () => {
  const bars = [
    { label: 'a & b', value: 640, isOurs: false },
    { label: '<c> "d"', value: 12, isOurs: true },
  ];
  const svg = drawChart('x < y', [{ title: 'one & two', bars }]);
  assertWellFormed(svg);
  assert.ok(svg.includes('640 µs, bar cut'));
  assert.ok(svg.includes('12.0 µs<'));
  assertWellFormed(renderChart(results));
});

test('a bar that is far longer than the others is cut, and only that', () => {
  assert.equal(scaleEnd([10, 20, 640]), 25);
  assert.equal(scaleEnd([10, 20, 40]), 40);
  assert.equal(scaleEnd([10]), 10);
});

test('the document has the versions, the aims, the tables and what was left out', () => {
  const text = renderDocument({
    results,
    machine: {
      processor: 'A processor',
      coreCount: 2,
      kernel: 'Linux 6.1',
      versions: [['nginx', '1.2.3']],
    },
    options: parseOptions([], []) as Options,
    date: new Date('2026-11-24T00:00:00Z'),
  });
  for (const part of [
    'A processor, 2 cores, Linux 6.1; 2026-11-24; 3 rounds of 5 s.',
    '| nginx | 1.2.3 |',
    '| ≥ 5 times less than http-proxy | 5.00 × | reached |',
    '| wormgate | 45,455 | 22.0 |',
    'Varnish was left out',
  ])
    assert.ok(text.includes(part), part);
});

test('the command line: defaults, quick, parts, and what is wrong', () => {
  const names = ['a', 'b'];
  const whole = parseOptions([], names) as Options;
  assert.deepEqual([whole.rounds, whole.seconds, whole.write], [3, 5, true]);
  const quick = parseOptions(['--quick'], names) as Options;
  assert.deepEqual([quick.rounds, quick.seconds, quick.write], [1, 1, false]);
  const part = parseOptions(['--scenario', 'a', '--scenario', 'b', '--logs', 'on'], names);
  assert.ok(typeof part !== 'string' && !part.write);
  assert.deepEqual([part.scenarios, part.logModes], [['a', 'b'], [true]]);
  for (const args of [
    ['--scenario', 'c'],
    ['--rounds', '0'],
    ['--seconds'],
    ['--logs', 'x'],
    ['c'],
  ])
    assert.equal(typeof parseOptions(args, names), 'string', args.join(' '));
});
