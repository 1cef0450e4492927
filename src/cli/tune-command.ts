/** `wormgate tune LOG…`: checks the settings, shows how far the reading has come, prints the report. */
import { existsSync, statSync } from 'node:fs';
import { systemClock } from '../clock.ts';
import { formatFault, loadSettings } from '../config/load.ts';
import { baseChanges, configuredTunables } from '../pattern-base.ts';
import { totalBytes } from '../tuning/log-reader.ts';
import { tune } from '../tuning/tune.ts';
import type { Output } from './output.ts';

const exitCodes = { done: 0, unreadable: 1, badConfiguration: 2 } as const;
const barWidth = 30;
/** How often the progress bar is drawn. */
const drawPeriodMs = 100;

/** A progress bar on a terminal; each of the two readings of the files is half of it. */
class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number | undefined;
  readonly #startMs = systemClock.nowMs();
  #drawnMs = 0;
  #before = 0;
  #last = 0;

  constructor(stream: NodeJS.WriteStream, total: number | undefined) {
    this.#stream = stream;
    this.#total = total;
  }

  draw(bytesRead: number, lineCount: number): void {
    // The second reading begins again at the first byte.
    if (bytesRead < this.#last) this.#before += this.#last;
    this.#last = bytesRead;
    const nowMs = systemClock.nowMs();
    if (this.#stream.isTTY !== true || nowMs - this.#drawnMs < drawPeriodMs) return;
    this.#drawnMs = nowMs;
    const seconds = Math.max((nowMs - this.#startMs) / 1_000, 0.001);
    const rate = `${lineCount.toLocaleString('en')} lines, ${Math.round(seconds)} s`;
    this.#stream.write(`\r${this.#bar(this.#before + bytesRead)} ${rate}\x1b[K`);
  }

  clear(): void {
    if (this.#drawnMs > 0) this.#stream.write('\r\x1b[K');
  }

  #bar(bytesRead: number): string {
    if (this.#total === undefined) return `${(bytesRead / 2 ** 20).toFixed(0)} MiB read`;
    const share = Math.min(1, bytesRead / Math.max(1, 2 * this.#total));
    const full = Math.floor(share * barWidth);
    const bar = `${'#'.repeat(full)}${'.'.repeat(barWidth - full)}`;
    return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %`;
  }
}

/** Runs the command; gives its exit code (docs/operations.md). */
export async function runTune(
  files: readonly string[],
  configFile: string,
  output: Output,
): Promise<number> {
  const loaded = loadSettings(configFile);
  if (!loaded.ok) {
    for (const fault of loaded.faults) output.complain(formatFault(fault));
    return exitCodes.badConfiguration;
  }
  const { settings } = loaded;
  const complain = (sentence: string) => output.complain(`wormgate: ${sentence}`);
  const readable = files.filter((file) => isReadable(file, complain));
  if (readable.length === 0) return exitCodes.unreadable;
  const bar = new ProgressBar(process.stderr, totalBytes(readable));
  const { report, allRead } = await tune({
    files: readable,
    settings,
    tunables: configuredTunables(settings),
    base: [...baseChanges(settings, { atMs: systemClock.nowMs(), warn: complain })],
    onProgress: (bytesRead, lineCount) => bar.draw(bytesRead, lineCount),
    complain: (sentence) => {
      bar.clear();
      complain(sentence);
    },
  });
  bar.clear();
  output.print(report);
  return allRead && readable.length === files.length ? exitCodes.done : exitCodes.unreadable;
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
