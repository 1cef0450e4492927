/**
 * Server-sent events for the web console: one figure line a second to each page that is open, made once for
 * all. Runs only while somebody looks; bounded in pages; who does not read is let go.
 */
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../clock.ts';

const periodMs = 1_000;

/** So many pages may be open. */
const pagesMax = 20;

/** A page that has left so much unread is let go; its browser connects anew. */
const unreadBytesMax = 262_144;

export class EventStream {
  readonly #clock: Clock;
  readonly #figures: () => unknown;
  /** Each with whether its sender may still see what is sent. */
  readonly #pages = new Map<ServerResponse, () => boolean>();
  #timer: Timer | undefined;

  /** `figures` is what is sent each second, as it is made into JSON. */
  constructor(clock: Clock, figures: () => unknown) {
    this.#clock = clock;
    this.#figures = figures;
  }

  /** False as well for the answer to a pipelined request: without a socket it is never told to close. */
  hasRoomFor(answer: ServerResponse): boolean {
    return this.#pages.size < pagesMax && answer.socket !== null;
  }

  /**
   * Takes an answer whose head is still to be written, until its client goes, or `mayStay`, which is asked
   * each second, is false.
   */
  add(answer: ServerResponse, mayStay: () => boolean): void {
    answer.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      // A proxy before us must not keep lines back.
      'X-Accel-Buffering': 'no',
    });
    this.#pages.set(answer, mayStay);
    answer.once('close', () => this.#remove(answer));
    answer.write(this.#event());
    this.#timer ??= this.#clock.every(periodMs, () => this.#tick());
  }

  close(): void {
    for (const answer of [...this.#pages.keys()]) answer.end();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #event(): string {
    return `event: figures\ndata: ${JSON.stringify(this.#figures())}\n\n`;
  }

  #tick(): void {
    const event = this.#event();
    for (const [answer, mayStay] of [...this.#pages]) {
      if (answer.writableLength > unreadBytesMax) answer.destroy();
      else if (!mayStay()) answer.end();
      else answer.write(event);
    }
  }

  #remove(answer: ServerResponse): void {
    this.#pages.delete(answer);
    if (this.#pages.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
