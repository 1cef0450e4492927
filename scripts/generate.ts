/**
 * Writes the documents that follow from tables: config/PROXY.CFG and docs/settings.md from the table
 * of settings, docs/counters.md from the table of counters, docs/console.md from the table of commands,
 * the end of docs/events.md from the table of events, and the man pages and the completion of shells from
 * these and the program's own commands. Run as `npm run generate`; a test compares what it would write with
 * what is there.
 */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { renderConsoleReference } from '../src/admin/command-reference.ts';
import { renderConfiguration, renderSettingsReference } from '../src/config/reference.ts';
import { renderEventReference } from '../src/log/events.ts';
import { counterNames, counterTable } from '../src/statistics.ts';
import { completionFiles } from './completion.ts';
import { manPages } from './man-pages.ts';

// Compiled, this file is dist/scripts/generate.js.
const root = join(import.meta.dirname, '..', '..');

function renderCounters(): string {
  const rows = counterNames.map((name) => `| \`${name}\` | ${counterTable[name].help} |`);
  return `# Counters

<!-- Written by \`npm run generate\` from the table in src/statistics.ts. -->

What a running wormgate counts, from its start on. No counter ever goes down.

| counter | what it counts |
| --- | --- |
${rows.join('\n')}
`;
}

const eventsMark =
  '<!-- From here on written by `npm run generate` from the table in src/log/events.ts. -->\n';

/** What is written by hand stays. */
function renderEvents(): string {
  const [byHand = ''] = readFileSync(join(root, 'docs/events.md'), 'utf8').split(eventsMark);
  return `${byHand}${eventsMark}\n${renderEventReference()}`;
}

/** A generated file: its path within the project, and the text that it should have. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** Every generated file, up to date. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [
    { path: 'config/PROXY.CFG', text: renderConfiguration() },
    { path: 'docs/settings.md', text: renderSettingsReference() },
    { path: 'docs/counters.md', text: renderCounters() },
    { path: 'docs/console.md', text: renderConsoleReference() },
    ...[...manPages, ...completionFiles].map(({ path, render }) => ({ path, text: render() })),
    { path: 'docs/events.md', text: renderEvents() },
  ];
}

function isMain(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(resolve(started)) === import.meta.filename;
}

if (isMain()) {
  for (const { path, text } of generatedFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
