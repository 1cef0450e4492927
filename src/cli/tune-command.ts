/**
 * `wormgate tune LOG…`: checks the settings, shows how far the reading has come, prints the report, and
 * puts the file of verdicts into its place.
 */
import { existsSync, statSync } from 'node:fs';
import { systemClock } from '../clock.ts';
import { formatFault, loadSettings } from '../config/load.ts';
import type { Settings } from '../config/shape.ts';
import { parseRequestLine, reduceToOriginForm } from '../http/request-line.ts';
import { baseChanges, configuredTunables } from '../pattern-base.ts';
import { totalBytes } from '../tuning/log-reader.ts';
import { type Tuned, tune } from '../tuning/tune.ts';
import { VerdictFile, VerdictFileError } from '../tuning/verdict-file.ts';
import type { Output } from './output.ts';

const exitCodes = { done: 0, unreadable: 1, badConfiguration: 2 } as const;
const barColumns = 30;
/** What stands beside the bar. */
const textColumns = 46;
/** How often the progress bar is drawn. */
const drawPeriodMs = 100;

/** A progress bar on a terminal; each of the two readings of the files is half of it. */
class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #totalBytes: number | undefined;
  readonly #startMs = systemClock.nowMs();
  #drawnMs = 0;
  /** What the readings before this one have read, and this one so far. */
  #before = { bytes: 0, lines: 0 };
  #last = { bytes: 0, lines: 0 };

  constructor(stream: NodeJS.WriteStream, totalBytes: number | undefined) {
    this.#stream = stream;
    this.#totalBytes = totalBytes;
  }

  draw(bytes: number, lines: number): void {
    // The second reading begins again at the first byte.
    if (bytes < this.#last.bytes) {
      const { bytes: bytesBefore, lines: linesBefore } = this.#before;
      this.#before = {
        bytes: bytesBefore + this.#last.bytes,
        lines: linesBefore + this.#last.lines,
      };
    }
    this.#last = { bytes, lines };
    const nowMs = systemClock.nowMs();
    if (this.#stream.isTTY !== true || nowMs - this.#drawnMs < drawPeriodMs) return;
    this.#drawnMs = nowMs;
    const seconds = Math.max((nowMs - this.#startMs) / 1_000, 0.001);
    const rate = Math.round((this.#before.lines + lines) / seconds);
    const text = `${this.#bar(this.#before.bytes + bytes)}, ${rate.toLocaleString('en')} lines/s`;
    // A line that wrapped could not be drawn over.
    this.#stream.write(`\r${text.slice(0, this.#stream.columns - 1)}\x1b[K`);
  }

  clear(): void {
    if (this.#drawnMs > 0) this.#stream.write('\r\x1b[K');
  }

  #bar(bytes: number): string {
    if (this.#totalBytes === undefined) return `${mebibytes(bytes)} MiB read`;
    const total = 2 * this.#totalBytes;
    const share = Math.min(1, bytes / Math.max(1, total));
    const columns = Math.max(0, Math.min(barColumns, this.#stream.columns - textColumns));
    const full = Math.floor(share * columns);
    const bar = columns === 0 ? '' : `[${'#'.repeat(full)}${'.'.repeat(columns - full)}] `;
    const percent = String(Math.floor(share * 100)).padStart(3);
    return `${bar}${percent} %, ${mebibytes(bytes)} of ${mebibytes(total)} MiB`;
  }
}

function mebibytes(bytes: number): string {
  return Math.round(bytes / 2 ** 20).toLocaleString('en');
}

export interface TuneCommand {
  readonly files: readonly string[];
  readonly configFile: string;
  /** Where the verdicts go, if anywhere. */
  readonly verdictFile: string | undefined;
}

/** Runs the command; gives its exit code (docs/operations.md). */
export async function runTune(command: TuneCommand, output: Output): Promise<number> {
  const { files, configFile, verdictFile } = command;
  const loaded = loadSettings(configFile);
  if (!loaded.ok) {
    for (const fault of loaded.faults) output.complain(formatFault(fault));
    return exitCodes.badConfiguration;
  }
  const complain = (sentence: string) => output.complain(`wormgate: ${sentence}`);
  const readable = files.filter((file) => isReadable(file, complain));
  if (readable.length === 0) return exitCodes.unreadable;
  let verdicts: VerdictFile | undefined;
  try {
    if (verdictFile !== undefined) verdicts = new VerdictFile(verdictFile, readable);
    const { report, allRead } = await tuneLogs(readable, loaded.settings, verdicts, complain);
    verdicts?.finish();
    output.print(report);
    return allRead && readable.length === files.length ? exitCodes.done : exitCodes.unreadable;
  } catch (error) {
    verdicts?.discard();
    if (!(error instanceof VerdictFileError)) throw error;
    complain(error.message);
    return exitCodes.unreadable;
  }
}

async function tuneLogs(
  files: readonly string[],
  settings: Settings,
  verdicts: VerdictFile | undefined,
  complain: (sentence: string) => void,
): Promise<Tuned> {
  const total = totalBytes(files);
  const bar = new ProgressBar(process.stderr, total);
  try {
    return await tune({
      files,
      settings,
      tunables: configuredTunables(settings),
      base: [...baseChanges(settings, { atMs: systemClock.nowMs(), warn: complain })],
      // What has no size, a pipe say, is gone when it was read.
      isRepeatable: total !== undefined,
      verdicts,
      isRefused,
      onProgress: (bytesRead, lineCount) => bar.draw(bytesRead, lineCount),
      complain: (sentence) => {
        bar.clear();
        complain(sentence);
      },
    });
  } finally {
    bar.clear();
  }
}

/** Whether the server answers a request line 400 by itself, or CONNECT as it does. */
function isRefused(requestLine: string): boolean {
  const parsed = parseRequestLine(requestLine);
  return parsed === undefined || reduceToOriginForm(parsed) === undefined;
}

function isReadable(file: string, complain: (sentence: string) => void): boolean {
  if (file === '-') return true;
  if (!existsSync(file)) {
    complain(`${file}: there is no such file`);
    return false;
  }
  if (!statSync(file).isDirectory()) return true;
  complain(`${file}: it is a folder; name the files in it`);
  return false;
}
