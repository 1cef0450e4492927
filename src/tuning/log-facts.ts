/** What a log's lines are, counted, with the first malformed ones. Pure. */
import type { LineKind } from './log-line.ts';

const samplesMax = 5;
const sampleBytes = 120;

export class LogFacts {
  /** Lines that are not empty. */
  lines = 0;
  requests = 0;
  /** PROXY.LOG's lines about other things than requests. */
  notes = 0;
  noRequests = 0;
  malformed = 0;
  /** The earliest and the latest time of a request. */
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = 0;
  /** The first few malformed lines, as `FILE:LINE: TEXT`, in printable ASCII. */
  readonly samples: string[] = [];
  #file = '';
  #line = 0;

  beginFile(file: string): void {
    this.#file = file;
    this.#line = 0;
  }

  /** Begins a line; an empty one has a number, too, but counts as none. */
  beginLine(isEmpty: boolean): void {
    this.#line += 1;
    if (!isEmpty) this.lines += 1;
  }

  /** Counts the line bytes[start, end), which is none with a request. */
  noteOther(kind: Exclude<LineKind, 'request'>, bytes: Buffer, start: number, end: number): void {
    if (kind === 'note') this.notes += 1;
    else if (kind === 'no-request') this.noRequests += 1;
    else {
      this.malformed += 1;
      if (this.samples.length === samplesMax) return;
      const text = bytes.toString('latin1', start, Math.min(end, start + sampleBytes));
      const sample = `${this.#file}:${this.#line}: ${text}`;
      this.samples.push(sample.replace(/[^\x20-\x7e]/g, '?'));
    }
  }

  noteRequest(atMs: number): void {
    this.requests += 1;
    if (atMs < this.firstMs) this.firstMs = atMs;
    if (atMs > this.lastMs) this.lastMs = atMs;
  }
}
