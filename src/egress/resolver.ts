/**
 * Names to addresses, with a limit on how long one may take and on how many are asked for at once, in
 * all and by one asker: who asks for a thousand names that no server answers must not keep others waiting.
 */
import { isIP } from 'node:net';
import type { Clock } from '../clock.ts';

/** Addresses in the order in which the system gives them, or why there are none. */
export type Resolution =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly reason: 'unknown' | 'timeout' | 'busy' };

export interface ResolverOptions {
  readonly clock: Clock;
  readonly timeoutMs: () => number;
  /** How long an answer is remembered, and of how many names. */
  readonly lifetimeMs: () => number;
  readonly namesMax: () => number;
  /** So many look-ups are under way at once. */
  readonly lookupsMax: () => number;
  /** Rejects when there are none; may take its time. */
  readonly ask: (host: string) => Promise<readonly string[]>;
}

/** One asker gets at most this part of the look-ups. */
const askerShare = 4;

export class Resolver {
  readonly #options: ResolverOptions;
  /** Look-ups under way, which whoever asks for the same name shares. */
  readonly #pending = new Map<string, Promise<readonly string[]>>();
  /** How many of them each asker has begun. */
  readonly #begun = new Map<string, number>();
  /** What was answered lately, oldest first. */
  readonly #known = new Map<
    string,
    { readonly untilMs: number; readonly addresses: readonly string[] }
  >();

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** How many look-ups are under way. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** An address is its own. `asker`: on whose behalf. */
  async resolve(host: string, asker: string): Promise<Resolution> {
    if (isIP(host) !== 0) return { ok: true, addresses: [host] };
    const known = this.#recall(host);
    if (known !== undefined) return { ok: true, addresses: known };
    const answer = this.#pending.get(host) ?? this.#ask(host, asker);
    if (answer === undefined) return { ok: false, reason: 'busy' };
    const { clock, timeoutMs } = this.#options;
    return await new Promise<Resolution>((resolve) => {
      const timer = clock.after(timeoutMs(), () => resolve({ ok: false, reason: 'timeout' }));
      answer
        .then(
          (addresses): Resolution =>
            addresses.length > 0 ? { ok: true, addresses } : { ok: false, reason: 'unknown' },
          (): Resolution => ({ ok: false, reason: 'unknown' }),
        )
        .then((resolution) => {
          timer.cancel();
          resolve(resolution);
        });
    });
  }

  #ask(host: string, asker: string): Promise<readonly string[]> | undefined {
    const { ask, lookupsMax } = this.#options;
    const max = lookupsMax();
    const begun = this.#begun.get(asker) ?? 0;
    if (this.#pending.size >= max || begun >= Math.ceil(max / askerShare)) return undefined;
    const answer = ask(host);
    this.#pending.set(host, answer);
    this.#begun.set(asker, begun + 1);
    answer.then(
      (addresses) => {
        this.#end(host, asker);
        if (addresses.length > 0) this.#remember(host, addresses);
      },
      () => this.#end(host, asker),
    );
    return answer;
  }

  #end(host: string, asker: string): void {
    this.#pending.delete(host);
    const left = (this.#begun.get(asker) ?? 0) - 1;
    if (left > 0) this.#begun.set(asker, left);
    else this.#begun.delete(asker);
  }

  #recall(host: string): readonly string[] | undefined {
    const { clock, lifetimeMs } = this.#options;
    const known = this.#known.get(host);
    const leftMs = (known?.untilMs ?? 0) - clock.nowMs();
    // A clock that was set back must not prolong it.
    return leftMs > 0 && leftMs <= lifetimeMs() ? known?.addresses : undefined;
  }

  #remember(host: string, addresses: readonly string[]): void {
    const { clock, lifetimeMs, namesMax } = this.#options;
    this.#known.delete(host);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= namesMax()) this.#known.delete(oldest);
    this.#known.set(host, { untilMs: clock.nowMs() + lifetimeMs(), addresses });
  }
}
