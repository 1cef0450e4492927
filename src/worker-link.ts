/**
 * One worker as the primary sees it: asks and their answers, in order, each within WorkerTimeout, after which the
 * worker is killed. What becomes of a worker that has ended is workers.ts.
 */
import type { Worker } from 'node:cluster';
import type { Clock, Timer } from './clock.ts';
import type { Answer, AskKind, Asks, Down, Up } from './fleet/messages.ts';
import { type Packed, pack, unpack } from './fleet/packing.ts';

export interface WorkerLinkOptions {
  readonly clock: Clock;
  readonly timeoutMs: () => number;
  /** Takes what is no answer. */
  readonly onMessage: (message: Exclude<Up, { kind: 'answer' }>) => void;
  /** It did not answer in time, and was killed. */
  readonly onLate: (kind: AskKind) => void;
  /** `how`: its exit code or signal. */
  readonly onEnd: (how: string) => void;
}

interface Pending {
  readonly kind: AskKind;
  readonly timer: Timer;
  readonly settle: (value: Answer['value'] | undefined) => void;
}

/** `starting`: it knows nothing; `filling`: it is sent the whole state; `serving`: it was told to listen. */
export type LinkPhase = 'starting' | 'filling' | 'serving' | 'gone';

export class WorkerLink {
  /** Unlike any worker's before. */
  readonly id: number;
  phase: LinkPhase = 'starting';
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #options: WorkerLinkOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #isLate = false;

  constructor(worker: Worker, options: WorkerLinkOptions) {
    this.#worker = worker;
    this.id = worker.id;
    this.#options = options;
    worker.on('message', (packed: Packed) => {
      if (this.phase === 'gone') return;
      const message = unpack<Up>(packed);
      if (message.kind === 'answer') this.#settle(message.id, message.answer);
      else options.onMessage(message);
    });
    worker.on('exit', (code: number | null, signal: string | null) =>
      this.#end(signal ?? `code ${code}`),
    );
    this.ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    // Its exit tells the rest.
    worker.on('error', () => {});
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  send(message: Down): void {
    if (!this.#worker.isConnected()) return;
    this.#worker.process.send(pack(message), undefined, undefined, () => {});
  }

  /** Resolves to the answer; to undefined when the worker ends before it. */
  ask<K extends AskKind>(
    kind: K,
    body: Asks[K]['body'],
    timeoutMs = this.#options.timeoutMs(),
  ): Promise<Asks[K]['answer'] | undefined> {
    if (this.phase === 'gone') return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const id = this.#nextId++;
      // If this process was busy for so long, the answer is here and unread: it is read first.
      const isLate = () => this.#pending.has(id) && this.#giveUp(kind);
      const timer = this.#options.clock.after(timeoutMs, () => setImmediate(isLate));
      const settle = (value: Answer['value'] | undefined) =>
        resolve(value as Asks[K]['answer'] | undefined);
      this.#pending.set(id, { kind, timer, settle });
      this.send({ kind: 'ask', ask: { kind, id, body } as Extract<Down, { kind: 'ask' }>['ask'] });
    });
  }

  /** Ends the process at once; `onEnd` follows. */
  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  #settle(id: number, { of, value }: Answer): void {
    const pending = this.#pending.get(id);
    if (pending?.kind !== of) return;
    this.#pending.delete(id);
    pending.timer.cancel();
    pending.settle(value);
  }

  #giveUp(kind: AskKind): void {
    // Whatever else it was asked is late as well.
    if (this.phase === 'gone' || this.#isLate) return;
    this.#isLate = true;
    this.#options.onLate(kind);
    this.kill();
  }

  #end(how: string): void {
    if (this.phase === 'gone') return;
    this.phase = 'gone';
    for (const { timer, settle } of this.#pending.values()) {
      timer.cancel();
      settle(undefined);
    }
    this.#pending.clear();
    this.#options.onEnd(how);
  }
}
