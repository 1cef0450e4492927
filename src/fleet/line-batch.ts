/** Lines for PROXY.LOG that wait for a report: bounded in bytes, what is beyond is lost and counted. */
import type { Statistics } from '../statistics.ts';

export class LineBatch {
  readonly #statistics: Statistics;
  readonly #bytesMax: () => number;
  #text = '';
  #count = 0;

  constructor(statistics: Statistics, bytesMax: () => number) {
    this.#statistics = statistics;
    this.#bytesMax = bytesMax;
  }

  /** Takes one line, printable ASCII without its line end; false: it is lost. */
  append(line: string): boolean {
    if (this.#text.length + line.length >= this.#bytesMax()) {
      this.#statistics.add('log_lines_lost');
      return false;
    }
    this.#text += `${line}\n`;
    this.#count += 1;
    return true;
  }

  get bytes(): number {
    return this.#text.length;
  }

  take(): { readonly lines: string; readonly lineCount: number } {
    const taken = { lines: this.#text, lineCount: this.#count };
    this.#text = '';
    this.#count = 0;
    return taken;
  }
}
