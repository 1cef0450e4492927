/** Random ids of traces and spans, cut from bytes that are drawn many at a time. */
import { randomFillSync } from 'node:crypto';

const traceIdBytes = 16;
const spanIdBytes = 8;

/** Fills the bytes with random ones. */
export type FillRandom = (bytes: Buffer) => void;

export class TraceIds {
  readonly #fill: FillRandom;
  readonly #bytes = Buffer.alloc(4096);
  #at = this.#bytes.length;

  constructor(fill: FillRandom = randomFillSync) {
    this.#fill = fill;
  }

  /** 32 hex digits, not all of them 0. */
  nextTraceId(): string {
    return this.#next(traceIdBytes);
  }

  /** 16 hex digits, not all of them 0. */
  nextSpanId(): string {
    return this.#next(spanIdBytes);
  }

  #next(byteCount: number): string {
    for (;;) {
      if (this.#at + byteCount > this.#bytes.length) {
        this.#fill(this.#bytes);
        this.#at = 0;
      }
      const start = this.#at;
      this.#at += byteCount;
      // The one value that is not valid (W3C Trace Context §3.2.2.3).
      const isZero = this.#bytes.subarray(start, this.#at).every((byte) => byte === 0);
      if (!isZero) return this.#bytes.toString('hex', start, this.#at);
    }
  }
}
