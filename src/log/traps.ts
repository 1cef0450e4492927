/**
 * Sends traps to their sinks: each alert once to each sink, without an answer. Nobody waits for it, and
 * whatever goes wrong is counted and told to nobody else: a sink that is down, slow or has no address
 * takes its own places and no others.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { formatHostPort } from '../config/endpoint.ts';
import { describeError } from '../config/fault.ts';
import type { HostPort, SnmpSettings } from '../config/shape.ts';
import type { Statistics } from '../statistics.ts';
import { deriveEngineId, loadTrapMaker, type MakeTrap, type TrapOrigin } from './snmp.ts';
import type { ThrottleAlert } from './throttle-log.ts';

export interface TrapSenderOptions {
  readonly settings: () => SnmpSettings;
  readonly origin: TrapOrigin;
  /** How long this process has been running; never goes back. */
  readonly upMs: () => number;
  readonly statistics: Statistics;
  /** The addresses of a host, in the order in which they are tried; none when it has none. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Told who is sent traps, and why none can be made. Never of secrets. */
  readonly note: (tag: 'INFO' | 'ERROR', text: string) => void;
}

/** So many traps to one sink are under way; more are counted as failed. */
export const underWayMax = 64;
const addressMs = 60_000;

type Family = 'udp4' | 'udp6';

interface Sink extends HostPort {
  /** What is known of its addresses, and until when (`upMs`) that is good. */
  addresses: { readonly found: Promise<readonly string[]>; readonly untilMs: number } | undefined;
  underWay: number;
}

export class TrapSender {
  readonly #options: TrapSenderOptions;
  /** One for each family of addresses, made when the first trap needs it. */
  readonly #sockets = new Map<Family, Promise<Socket>>();
  #settings: SnmpSettings | undefined;
  #sinks: readonly Sink[] = [];
  #maker: Promise<MakeTrap> | undefined;
  #isClosed = false;

  constructor(options: TrapSenderOptions) {
    this.#options = options;
    this.applySettings();
  }

  /** Follows the settings in force. */
  applySettings(): void {
    const settings = this.#options.settings();
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    this.#sinks = settings.sinks.map((sink) => ({ ...sink, addresses: undefined, underWay: 0 }));
    this.#maker = undefined;
    if (this.#sinks.length === 0) return this.#closeSockets();
    const { origin, note } = this.#options;
    note('INFO', describe(settings, origin));
    this.#maker = loadTrapMaker(settings.sender, origin);
    this.#maker.catch((error) =>
      note('ERROR', `no SNMP traps can be made: ${describeError(error)}`),
    );
  }

  /** Returns at once, whatever becomes of the traps. */
  tell(alert: ThrottleAlert): void {
    const maker = this.#maker;
    if (maker === undefined || this.#isClosed) return;
    const upMs = this.#options.upMs();
    const trap = maker.then((make) => make(alert, upMs));
    // Whoever waits for it hears of it; nobody may.
    trap.catch(() => {});
    for (const sink of this.#sinks) void this.#send(sink, trap);
  }

  close(): void {
    this.#isClosed = true;
    this.#closeSockets();
  }

  async #send(sink: Sink, trap: Promise<Buffer>): Promise<void> {
    const { statistics } = this.#options;
    if (sink.underWay >= underWayMax) return statistics.add('snmp_traps_failed');
    sink.underWay += 1;
    try {
      await this.#sendToFirst(await this.#addressesOf(sink), sink.port, await trap);
      statistics.add('snmp_traps_sent');
    } catch {
      statistics.add('snmp_traps_failed');
    } finally {
      sink.underWay -= 1;
    }
  }

  /** To the first of the addresses that the machine can send to. */
  async #sendToFirst(addresses: readonly string[], port: number, trap: Buffer): Promise<void> {
    let failure: unknown = new Error('no address');
    for (const address of addresses) {
      try {
        const socket = await this.#socketFor(isIPv6(address) ? 'udp6' : 'udp4');
        return await new Promise<void>((resolve, reject) => {
          socket.send(trap, port, address, (error) => (error === null ? resolve() : reject(error)));
        });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Asked for once in a while, whether there is an answer or not. */
  #addressesOf(sink: Sink): Promise<readonly string[]> {
    const nowMs = this.#options.upMs();
    if (sink.addresses === undefined || nowMs >= sink.addresses.untilMs) {
      const found = this.#options.resolve(sink.host);
      sink.addresses = { found, untilMs: nowMs + addressMs };
    }
    return sink.addresses.found;
  }

  #socketFor(family: Family): Promise<Socket> {
    if (this.#isClosed) return Promise.reject(new Error('closed'));
    const known = this.#sockets.get(family);
    if (known !== undefined) return known;
    const forget = () => {
      if (this.#sockets.get(family) === open) this.#sockets.delete(family);
    };
    const open = openSocket(family, forget);
    open.catch(forget);
    this.#sockets.set(family, open);
    return open;
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.values()) {
      socket.then(closeQuietly, () => {});
    }
    this.#sockets.clear();
  }
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // An error has closed it already.
  }
}

/**
 * A socket that is ready to send and does not keep the process alive. What arrives on it is nobody's.
 * After an error, which may come at any time, it is closed, and `onEnd` is told.
 */
function openSocket(family: Family, onEnd: () => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(family);
    socket.unref();
    socket.on('error', (error) => {
      onEnd();
      closeQuietly(socket);
      reject(error);
    });
    socket.bind(0, () => resolve(socket));
  });
}

function describe({ sinks, sender }: SnmpSettings, { instance }: TrapOrigin): string {
  const places = sinks.map(formatHostPort).join(', ');
  if (sender.version === 'v2c') return `SNMP v2c traps go to ${places}`;
  const engineId = sender.engineId ?? deriveEngineId(instance);
  return `SNMP v3 traps of user ${sender.user} go to ${places}; the engine id is ${engineId}`;
}
