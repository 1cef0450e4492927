/**
 * The virus throttle as a worker sees it: known hosts pass at once, from a copy of what the primary knows; for
 * a new one the primary is asked, and the request waits for its answer as long as its client is there.
 */
import type { Socket } from 'node:net';
import type { TurnAnswer } from './messages.ts';

export interface RemoteTurnsOptions {
  readonly isOn: () => boolean;
  readonly admit: (id: number, host: string) => void;
  /** The client of a wish has gone. */
  readonly leave: (id: number) => void;
  /** A known host was connected to. */
  readonly onPassed: (host: string) => void;
}

interface Waiting {
  readonly settle: (outcome: TurnAnswer) => void;
}

export class RemoteTurns {
  readonly #options: RemoteTurnsOptions;
  readonly #waiting = new Map<number, Waiting>();
  #known: ReadonlySet<string> = new Set();
  #nextId = 1;

  constructor(options: RemoteTurnsOptions) {
    this.#options = options;
  }

  noteKnown(hosts: readonly string[]): void {
    this.#known = new Set(hosts);
  }

  noteAnswer(id: number, outcome: TurnAnswer): void {
    this.#waiting.get(id)?.settle(outcome);
  }

  /** Waits for the turn of `host`, an address. That it waits is counted by the primary. */
  await(host: string, socket: Socket): Promise<TurnAnswer | 'gone'> {
    if (socket.destroyed) return Promise.resolve('gone');
    if (!this.#options.isOn()) return Promise.resolve('passed');
    if (this.#known.has(host)) {
      this.#options.onPassed(host);
      return Promise.resolve('passed');
    }
    return new Promise((resolve) => {
      const id = this.#nextId++;
      const end = () => {
        socket.removeListener('close', leave);
        this.#waiting.delete(id);
      };
      const leave = () => {
        end();
        this.#options.leave(id);
        resolve('gone');
      };
      this.#waiting.set(id, {
        settle: (outcome) => {
          end();
          resolve(outcome);
        },
      });
      socket.once('close', leave);
      this.#options.admit(id, host);
    });
  }
}
