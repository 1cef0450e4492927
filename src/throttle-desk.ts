/**
 * The virus throttle of the machine, for workers: they ask it about new hosts, and are told which ones it knows,
 * so that a known one costs no message.
 */
import type { EgressService } from './egress-service.ts';
import type { Down, TurnAnswer } from './fleet/messages.ts';
import type { Statistics } from './statistics.ts';
import { acceleratorSource, type Turn } from './throttle/sources.ts';

export interface ThrottleDeskOptions {
  readonly egress: () => EgressService | undefined;
  readonly statistics: Statistics;
}

/** A worker may have so many wishes waiting; the throttle's own queue is shorter. */
const waitingMax = 10_000;

export class ThrottleDesk {
  /** Takes an answer to a worker. */
  onAnswer: (worker: number, message: Down) => void = () => {};
  /** Takes what all workers are to know. */
  onKnown: (message: Down) => void = () => {};
  readonly #options: ThrottleDeskOptions;
  /** By worker, then by the worker's own number. */
  readonly #waiting = new Map<number, Map<number, Turn>>();
  #known: readonly string[] = [];

  constructor(options: ThrottleDeskOptions) {
    this.#options = options;
  }

  admit(worker: number, id: number, host: string): void {
    const sources = this.#options.egress()?.sources;
    const answer = (outcome: TurnAnswer) => this.onAnswer(worker, { kind: 'turn', id, outcome });
    if (sources === undefined) return answer('stopping');
    const waiting = this.#waiting.get(worker) ?? new Map<number, Turn>();
    this.#waiting.set(worker, waiting);
    if (waiting.size >= waitingMax) return answer('full');
    const settle = (outcome: TurnAnswer) => {
      waiting.delete(id);
      this.look();
      answer(outcome);
    };
    const turn: Turn = { go: () => settle('passed'), refuse: settle };
    const admission = sources.admit(acceleratorSource, host, turn);
    if (admission !== 'queued') return settle(admission);
    waiting.set(id, turn);
    this.#options.statistics.add('dynamic_delayed');
  }

  /** The client of a wish has gone. */
  leave(worker: number, id: number): void {
    const turn = this.#waiting.get(worker)?.get(id);
    if (turn === undefined) return;
    this.#waiting.get(worker)?.delete(id);
    this.#options.egress()?.sources.abandon(acceleratorSource, turn);
  }

  /** A worker has connected to a host that it knew. */
  notePassed(host: string): void {
    const egress = this.#options.egress();
    if (egress === undefined) return;
    egress.noteConnection(host);
    // Not one that has left the working set meanwhile: nobody would wait for its turn.
    if (!this.#known.includes(host)) return;
    this.look();
    if (!this.#known.includes(host)) return;
    egress.sources.admit(acceleratorSource, host, { go: () => {}, refuse: () => {} });
  }

  /** A worker has ended, and its clients with it. */
  noteEnd(worker: number): void {
    for (const id of [...(this.#waiting.get(worker)?.keys() ?? [])]) this.leave(worker, id);
    this.#waiting.delete(worker);
  }

  /** What a new worker is to know. */
  known(): Down {
    return { kind: 'known', hosts: this.#known };
  }

  /** Tells the workers when the throttle knows other hosts than before. */
  look(): void {
    const hosts = this.#options.egress()?.sources.knownHosts(acceleratorSource) ?? [];
    if (hosts.join(' ') === this.#known.join(' ')) return;
    this.#known = hosts;
    this.onKnown(this.known());
  }
}
