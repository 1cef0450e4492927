/**
 * The connection of a tunnel: an agent that hands out one, to the first of several origins that
 * accepts it. Nothing was sent before it stands, so the next origin may always be tried. Tunnels have
 * connections of their own; pools and queues are for requests that end.
 */
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { OriginError } from './faults.ts';
import { whenConnected } from './origin-timeouts.ts';
import type { Origin } from './origins.ts';

type Done = (error: Error | null, connection: Duplex) => void;

export class FirstReachable extends Agent {
  readonly #origins: readonly Origin[];
  readonly #connectTimeoutMs: number;
  readonly #onRetry: () => void;
  #current: Duplex | undefined;
  #abandoned = false;

  /** `origins`: in the order in which they are tried; `onRetry`: one failed and the next is tried. */
  constructor(origins: readonly Origin[], connectTimeoutMs: number, onRetry: () => void) {
    super({ keepAlive: false });
    this.#origins = origins;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#onRetry = onRetry;
  }

  override createConnection(_options: object, done?: Done): undefined {
    if (done !== undefined) this.#connect(0, done);
  }

  /** Stops connecting: nobody waits any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#current?.destroy();
  }

  #connect(index: number, done: Done): void {
    const connection = this.#origins[index]?.connect();
    if (connection === undefined) throw new RangeError('no origin');
    this.#current = connection;
    const late = () => connection.destroy(new OriginError('origin_connect_timeout'));
    const timer = setTimeout(late, this.#connectTimeoutMs);
    const fail = (error: Error) => {
      if (this.#abandoned || index + 1 === this.#origins.length) return done(error, connection);
      this.#onRetry();
      this.#connect(index + 1, done);
    };
    connection.once('error', fail);
    connection.once('close', () => clearTimeout(timer));
    whenConnected(connection, () => {
      clearTimeout(timer);
      connection.removeListener('error', fail);
      done(null, connection);
    });
  }
}
