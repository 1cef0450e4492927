/**
 * The connection of a tunnel: an agent that hands out one, to the first of several origins that
 * accepts it. Nothing was sent before it stands, so another origin may always be tried. Tunnels have
 * connections of their own; pools and queues are for requests that end.
 */
import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LimitSettings } from '../config/shape.ts';
import { OriginError, originFaultOf } from './faults.ts';
import type { Origin, OriginChoice } from './origin.ts';
import { whenConnected } from './origin-timeouts.ts';

type Done = (error: Error | null, connection: Duplex) => void;
type Limits = Pick<LimitSettings, 'connectTimeoutMs' | 'originTriesMax'>;

export class FirstReachable extends Agent {
  readonly #origins: OriginChoice;
  readonly #limits: Limits;
  readonly #onRetry: () => void;
  readonly #tried: Origin[] = [];
  #current: Duplex | undefined;
  #abandoned = false;
  /** The origin that is tried, or that the connection leads to. */
  origin: Origin | undefined;
  isConnected = false;

  /** `onRetry`: one failed and another is tried. */
  constructor(origins: OriginChoice, limits: Limits, onRetry: () => void) {
    super({ keepAlive: false });
    this.#origins = origins;
    this.#limits = limits;
    this.#onRetry = onRetry;
    this.origin = origins.choose(this.#tried);
  }

  override createConnection(_options: object, done?: Done): undefined {
    if (done !== undefined) this.#connect(done);
  }

  /** Stops connecting: nobody waits any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#current?.destroy();
  }

  #connect(done: Done): void {
    const { origin } = this;
    if (origin === undefined) throw new RangeError('no origin');
    const connection = origin.connect();
    this.#current = connection;
    const late = () => connection.destroy(new OriginError('origin_connect_timeout'));
    const timer = setTimeout(late, this.#limits.connectTimeoutMs);
    const fail = (error: Error) => {
      if (this.#abandoned) return done(error, connection);
      const isKnown = error instanceof OriginError;
      origin.noteFault(originFaultOf(error), isKnown ? undefined : error);
      this.#tried.push(origin);
      const mayGoOn = this.#tried.length < this.#limits.originTriesMax;
      const next = mayGoOn ? this.#origins.choose(this.#tried) : undefined;
      if (next === undefined) return done(error, connection);
      this.origin = next;
      this.#onRetry();
      this.#connect(done);
    };
    connection.once('error', fail);
    connection.once('close', () => clearTimeout(timer));
    whenConnected(connection, () => {
      clearTimeout(timer);
      this.isConnected = true;
      connection.removeListener('error', fail);
      done(null, connection);
    });
  }
}
