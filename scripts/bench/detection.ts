/**
 * `npm run bench -- detection`: how many of the attacks and probes in the labelled log of site-a would be
 * blocked, by each of the means alone and together, and what of the humble rest; and what would be blocked
 * of site-b, which is nearly all humble. Replays both with `wormgate tune --verdicts`; prints the table of
 * docs/detection.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseVerdicts, scoreSiteA } from '../../test/support/labels.ts';
import { projectPath } from '../../test/support/paths.ts';
import { readSiteB } from '../../test/support/requests-data.ts';
import { keywordFile } from '../../test/support/shipped-keywords.ts';
import { shippedPatternFiles } from '../../test/support/shipped-patterns.ts';

const program = projectPath('dist', 'bin', 'wormgate.cjs');
const folder = mkdtempSync(join(tmpdir(), 'wormgate-bench-'));

/** A way of deciding, by what the configuration holds. */
interface Means {
  readonly name: string;
  readonly files: readonly string[];
  readonly watchesSources: boolean;
}

const means: readonly Means[] = [
  { name: 'shipped patterns alone', files: shippedPatternFiles, watchesSources: false },
  { name: 'sources alone', files: [], watchesSources: true },
  { name: 'sources and keywords, no pattern at first', files: [keywordFile], watchesSources: true },
  { name: 'as shipped', files: [...shippedPatternFiles, keywordFile], watchesSources: true },
];

/** Whether each line would have been blocked, by its number, and how many sources. */
function replay(site: string, { files, watchesSources }: Means) {
  const config = join(folder, 'PROXY.CFG');
  const verdicts = join(folder, 'verdicts.tsv');
  writeFileSync(
    config,
    [
      '[Extra Configuration] ScanVirusPatterns=1',
      '[Virus Pattern Configuration]',
      'EnablePatternAutoUpdate=1',
      ...(files.length === 0
        ? []
        : [`PatternFiles=${files.map((file) => projectPath(file)).join(', ')}`]),
      `[Virus Sources] SourceBlocking=${watchesSources ? 1 : 0}`,
      '[Accelerator x] Listen=127.0.0.1:8080 Origin=demo',
    ].join('\n'),
  );
  const log = projectPath('test/data', `${site}-combined.log.gz`);
  const command = [program, 'tune', log, '--config', config, '--verdicts', verdicts];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const rows = parseVerdicts(readFileSync(verdicts, 'latin1'));
  const blocked = rows.map(({ verdict }) => verdict === 'block');
  const [, sources = '0'] = /^Sources blocked: (\d+)/m.exec(stdout) ?? [];
  return { isBlocked: (line: number) => blocked[line - 1] === true, sources };
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

function row(each: Means, servedLines: readonly number[], lineCount: number): string {
  const { lines, blocked, cleanBlocked } = scoreSiteA(replay('site-a', each).isBlocked);
  const siteB = replay('site-b', each);
  const all = Array.from({ length: lineCount }, (_, index) => index + 1);
  const ofB = all.filter(siteB.isBlocked).length;
  const served = servedLines.filter(siteB.isBlocked).length;
  const cells = [
    each.name,
    share(blocked.attack, lines.attack),
    share(blocked.probe, lines.probe),
    String(cleanBlocked.length),
    siteB.sources,
    `${ofB}, ${served} of them served`,
  ];
  return `| ${cells.join(' | ')} |`;
}

try {
  const siteB = readSiteB();
  const served = siteB.filter(({ status }) => status >= 200 && status < 400);
  const servedLines = served.map(({ line }) => line);
  console.log('| | attacks | probes | lines of clean sources | site-b: sources | lines |');
  console.log('|---|---|---|---|---|---|');
  for (const each of means) console.log(row(each, servedLines, siteB.length));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
