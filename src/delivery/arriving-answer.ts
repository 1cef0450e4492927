/**
 * An answer that is arriving, and those who read it, each at its own pace. Bytes lie here once, however
 * many read them. An answer that is to be kept is held from its beginning; of one that is not, only what
 * somebody has still to read, and whoever fills it waits for the slowest reader. Touches no socket.
 */
import type { AnswerHead } from '../upstream/answer-content.ts';
import type { HeaderLine } from '../upstream/hop-by-hop.ts';

/** Whoever reads an arrival: called when there is more to read, or none will come. */
export interface AnswerReader {
  onProgress(): void;
  /** The answer ends before its end: what was read is not whole. */
  onCutShort(isTimeout: boolean): void;
  /** It has read too slowly for the others, and gets no more. */
  onTooSlow(): void;
}

const firstBytes = 16_384;
const nothing = Buffer.alloc(0);

export class ArrivingAnswer {
  readonly head: AnswerHead;
  /** The whole answer has arrived. */
  isOver = false;
  trailers: readonly HeaderLine[] = [];
  /** Content that has arrived so far, in bytes. */
  contentBytes = 0;
  #isKept: boolean;
  readonly #windowBytesMax: number;
  /** Content from `#start` on lies here. */
  #bytes = nothing;
  #start = 0;
  /** How far each reader has read. */
  readonly #readers = new Map<AnswerReader, number>();
  #onRoom: (() => void) | undefined;

  /** `windowBytesMax`: so much may wait for readers when nothing is kept. */
  constructor(head: AnswerHead, isKept: boolean, windowBytesMax: number) {
    this.head = head;
    this.#isKept = isKept;
    this.#windowBytesMax = windowBytesMax;
  }

  /** Whether it is held from its beginning, so that others may join. */
  get isKept(): boolean {
    return this.#isKept;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** More waits than may: whoever fills it has to wait for `whenRoom`. */
  get isFull(): boolean {
    return !this.#isKept && this.contentBytes - this.#start > this.#windowBytesMax;
  }

  /** What has arrived, from its beginning; only of what is kept. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.contentBytes - this.#start);
  }

  join(reader: AnswerReader): void {
    this.#readers.set(reader, this.#start);
  }

  leave(reader: AnswerReader): void {
    this.#readers.delete(reader);
    this.#trim();
  }

  /** What a reader has still to read of what has arrived; taken with it. */
  read(reader: AnswerReader): Buffer {
    const position = this.#readers.get(reader);
    if (position === undefined) return nothing;
    const rest = this.#bytes.subarray(position - this.#start, this.contentBytes - this.#start);
    this.#readers.set(reader, this.contentBytes);
    this.#trim();
    return rest;
  }

  /** Adds source[start, end), which is copied. */
  add(source: Buffer, start: number, end: number): void {
    const held = this.contentBytes - this.#start;
    const needed = held + end - start;
    if (needed > this.#bytes.length) this.#grow(held, needed);
    source.copy(this.#bytes, held, start, end);
    this.contentBytes += end - start;
  }

  /** It is not to be kept after all: what everybody has read is let go from now on. */
  keepNoMore(): void {
    this.#isKept = false;
    this.#trim();
  }

  /** Cuts those short who hold up others that have read all there is. */
  cutLaggards(): void {
    const entries = [...this.#readers];
    if (!entries.some(([, position]) => position === this.contentBytes)) return;
    for (const [reader, position] of entries) {
      if (this.contentBytes - position <= this.#windowBytesMax) continue;
      this.#readers.delete(reader);
      reader.onTooSlow();
    }
    this.#trim();
  }

  finish(trailers: readonly HeaderLine[]): void {
    this.isOver = true;
    this.trailers = trailers;
  }

  /** Tells the readers that there is more, or that it is over. */
  tell(): void {
    for (const reader of [...this.#readers.keys()]) reader.onProgress();
  }

  cutShort(isTimeout: boolean): void {
    const readers = [...this.#readers.keys()];
    this.#readers.clear();
    for (const reader of readers) reader.onCutShort(isTimeout);
  }

  /** Calls `action` once, when there is room again. */
  whenRoom(action: () => void): void {
    this.#onRoom = action;
  }

  /** Bytes handed out before are never moved or overwritten: they may still be on their way. */
  #grow(held: number, needed: number): void {
    const { contentLength } = this.head;
    const known = this.#isKept && contentLength > 0 ? Math.min(contentLength, needed * 4) : 0;
    const grown = Buffer.allocUnsafeSlow(
      Math.max(needed, known, this.#isKept ? held * 2 : firstBytes),
    );
    this.#bytes.copy(grown, 0, 0, held);
    this.#bytes = grown;
  }

  #trim(): void {
    if (this.#isKept) return;
    const slowest = Math.min(this.contentBytes, ...this.#readers.values());
    if (slowest > this.#start) {
      this.#bytes = this.#bytes.subarray(slowest - this.#start);
      this.#start = slowest;
    }
    if (this.isFull) return;
    const action = this.#onRoom;
    this.#onRoom = undefined;
    action?.();
  }
}
