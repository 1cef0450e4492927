/**
 * The addresses of an origin's host name, looked up again and again: new connections take turns among
 * those of the family that comes first, and try the next where one refuses, of the other family, too.
 * Who looks names up, and how, is handed in.
 */
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { normalizeAddress } from '../config/address-list.ts';

/** Resolves to the addresses of a name, at least one; rejects when none is known. */
export type LookUp = (host: string) => Promise<readonly string[]>;

export interface AddressesOptions {
  readonly host: string;
  readonly lookUp: LookUp;
  /** A look-up gave addresses; `hasChanged`: others than before, which were not the first. */
  onFound(hasChanged: boolean): void;
  /** A look-up gave none; what was known before stays. */
  onFailed(error: Error): void;
}

export class OriginAddresses {
  readonly #options: AddressesOptions;
  readonly #isName: boolean;
  #known: readonly string[] = [];
  /** They have changed once: a connection may lead to one that the name no longer has. */
  #hasChanged = false;
  #next = 0;
  #pending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #intervalMs = 0;

  constructor(options: AddressesOptions) {
    this.#options = options;
    this.#isName = isIP(options.host) === 0;
  }

  /** Those that are known now; none for a host that is an address itself. */
  get known(): readonly string[] {
    return this.#known;
  }

  /** Looks the name up now, and every `intervalMs` from now on. */
  start(intervalMs: number): void {
    if (!this.#isName || intervalMs === this.#intervalMs) return;
    this.stop();
    this.#intervalMs = intervalMs;
    this.#timer = setInterval(() => void this.refresh(), intervalMs).unref();
    void this.refresh();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#intervalMs = 0;
  }

  /** Whether a connection leads to an address that is no longer one of this origin's. */
  isStray(socket: Socket): boolean {
    return this.#hasChanged && !this.#known.includes(normalizeAddress(socket.remoteAddress ?? ''));
  }

  /** Looks the name up; one question at a time, which whoever asks shares. Never rejects. */
  refresh(): Promise<void> {
    const { host, lookUp } = this.#options;
    this.#pending ??= lookUp(host)
      .then(
        (found) => this.#take([...new Set(found.map(normalizeAddress))]),
        (error: unknown) => {
          this.#options.onFailed(error instanceof Error ? error : new Error(String(error)));
        },
      )
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  /** For node:net: all addresses, beginning with the one whose turn it is. */
  readonly forConnecting: LookupFunction = (_host, options, callback) => {
    const answer = () => {
      if (this.#known.length === 0) {
        const error = new Error(`no address of ${this.#options.host} is known`);
        return callback(Object.assign(error, { code: 'ENOTFOUND' }), '', 0);
      }
      const answers = this.#turned().map((address) => ({ address, family: isIP(address) }));
      const [first] = answers;
      if (options.all === true) callback(null, answers);
      else callback(null, first?.address ?? '', first?.family ?? 0);
    };
    // A name that is not known yet is waited for; ConnectTimeout is what bounds that.
    if (this.#known.length > 0) answer();
    else void this.refresh().then(answer);
  };

  /** All of them, in the order in which the next connection tries them. */
  #turned(): readonly string[] {
    const family = isIP(this.#known[0] ?? '');
    const first = this.#known.filter((address) => isIP(address) === family);
    const others = this.#known.filter((address) => isIP(address) !== family);
    // A name may have addresses that lead nowhere from here, which each cost a wait.
    const start = this.#next % first.length;
    this.#next = start + 1;
    return [...first.slice(start), ...first.slice(0, start), ...others];
  }

  #take(found: readonly string[]): void {
    if (found.length === 0) {
      return this.#options.onFailed(new Error(`no address of ${this.#options.host} is known`));
    }
    const before = this.#known;
    this.#known = found;
    const isSame =
      before.length === found.length && before.every((address) => found.includes(address));
    const hasChanged = before.length > 0 && !isSame;
    this.#hasChanged ||= hasChanged;
    this.#options.onFound(hasChanged);
  }
}
