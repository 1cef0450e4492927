/**
 * The virus throttle turned inwards: who quickly asks for many different things that nobody was ever
 * served is no reader. Keeps for each source its misses and virus requests, and which sources are
 * blocked, for how long, and how often they were before. Two maps in the order of use: the blocked, which
 * every request is looked up in, and the watched. Pure.
 */
import { RecencyMap } from './recency-map.ts';

/** The figures of `[Virus Sources]`. Times in milliseconds. */
export interface SourceRules {
  /** So many different misses within `missIntervalMs` block. */
  readonly missLimit: number;
  readonly missIntervalMs: number;
  /** So many virus requests within `blockMs` block. */
  readonly virusLimit: number;
  /** How long the first block lasts. */
  readonly blockMs: number;
  /** How long one lasts at most, and after how long without one it is the first again. */
  readonly blockMsMax: number;
  /** Watched and blocked ones together. */
  readonly sourcesMax: number;
}

/** A target that was missed. */
export interface Miss {
  /** Tells targets apart. */
  readonly hash: number;
  /** Its path, normalised, or the beginning of it; latin1. */
  readonly path: string;
  readonly status: number;
  readonly atMs: number;
  readonly requestId: string;
}

/** A request that matched a pattern or held a confirmed keyword. */
export interface VirusRequest {
  /** The pattern or keyword, latin1. */
  readonly matched: string;
  readonly atMs: number;
  readonly requestId: string;
}

/** Why a source is blocked: what it asked for, or the operator's word. */
export type BlockCause = 'misses' | 'viruses' | 'console';

/** One source. */
export interface Source {
  /** Its key (source-key.ts). */
  readonly address: string;
  /** What counts, or what made it blocked; oldest first. */
  readonly misses: readonly Miss[];
  readonly viruses: readonly VirusRequest[];
  /** Of the block that lasts, or of the last one. */
  readonly cause: BlockCause;
  readonly sinceMs: number;
  readonly lengthMs: number;
  /** When it ends or ended; -Infinity: there was none. */
  readonly untilMs: number;
  /** How often it was blocked without a rest, the operator's blocks left out. */
  readonly times: number;
  /** Requests that were blocked because of it. */
  readonly requests: number;
  /** The `untilMs` that was last told to whoever keeps sources over restarts. */
  readonly toldUntilMs: number;
}

/** What requests need to know of a blocked source. */
export interface BlockedSource {
  readonly address: string;
  readonly cause: BlockCause;
  readonly untilMs: number;
  readonly misses: { readonly length: number };
  readonly viruses: { readonly length: number };
}

type Kept = { -readonly [K in keyof Source]: Source[K] } & {
  misses: Miss[];
  viruses: VirusRequest[];
};

/** A block that is renewed is kept anew each time that its end has moved by this part of its length. */
const toldParts = 8;
/** So many blocked sources are looked at in one `sweep`. */
const sweptMax = 10_000;

/** Whether two moments lie so close together, whichever of them the clock says was first. */
function isWithin(nowMs: number, atMs: number, spanMs: number): boolean {
  return Math.abs(nowMs - atMs) < spanMs;
}

/** All sources. `nowMs` may step back: a block then lasts its whole length once more at most. */
export class Sources {
  /** May be changed at any time. */
  rules: SourceRules;
  /** Sources that were forgotten for others, because of `sourcesMax`. */
  forgotten = 0;
  /** Told of a source that is blocked from now on, or no longer, or whose block is to be kept anew. */
  onChange: ((address: string) => void) | undefined;
  readonly #blocked = new RecencyMap<Kept>();
  readonly #watched = new RecencyMap<Kept>();
  #sweep: Iterator<Kept> | undefined;

  constructor(rules: SourceRules) {
    this.rules = rules;
  }

  /** Some may have to be let go; `find` says. */
  get blockedCount(): number {
    return this.#blocked.size;
  }

  /** Both kinds. */
  get size(): number {
    return this.#blocked.size + this.#watched.size;
  }

  /** The source with this key if it is blocked. */
  find(address: string, nowMs: number): Source | undefined {
    const source = this.#blocked.get(address);
    if (source === undefined) return undefined;
    if (nowMs >= source.untilMs) {
      this.#release(source);
      return undefined;
    }
    if (source.untilMs - nowMs > source.lengthMs) source.untilMs = nowMs + source.lengthMs;
    return source;
  }

  /** The source with this key, blocked or watched. */
  get(address: string, nowMs: number): Source | undefined {
    return this.find(address, nowMs) ?? this.#watched.get(address);
  }

  /**
   * A blocked source has sent requests, the last one at `nowMs`: its block begins anew, unless the operator said how long. Gives
   * the source when its end has moved so far that it is to be kept anew.
   */
  renew(address: string, nowMs: number, count = 1): Source | undefined {
    const source = this.#blocked.get(address);
    if (source === undefined) return undefined;
    source.requests += count;
    this.#blocked.touch(address);
    if (source.cause === 'console') return undefined;
    source.untilMs = nowMs + source.lengthMs;
    if (source.untilMs - source.toldUntilMs < source.lengthMs / toldParts) return undefined;
    source.toldUntilMs = source.untilMs;
    this.onChange?.(address);
    return source;
  }

  /** Counts a miss. True: they are so many that the source is to be blocked, which is for the caller. */
  noteMiss(address: string, miss: Miss): boolean {
    if (this.find(address, miss.atMs) !== undefined) return false;
    const { missLimit, missIntervalMs } = this.rules;
    const source = this.#watch(address);
    const isKept = ({ hash, atMs }: Miss) =>
      hash !== miss.hash && isWithin(miss.atMs, atMs, missIntervalMs);
    source.misses = [...source.misses.filter(isKept), miss].slice(-missLimit);
    return source.misses.length >= missLimit;
  }

  /** Counts a virus request, with the same answer. */
  noteVirus(address: string, virus: VirusRequest): boolean {
    if (this.find(address, virus.atMs) !== undefined) return false;
    const { virusLimit, blockMs } = this.rules;
    const source = this.#watch(address);
    const isKept = ({ atMs }: VirusRequest) => isWithin(virus.atMs, atMs, blockMs);
    source.viruses = [...source.viruses.filter(isKept), virus].slice(-virusLimit);
    return source.viruses.length >= virusLimit;
  }

  /**
   * Blocks a source: for `lengthMs`, or for as long as it is due. One that is blocked already is blocked
   * anew by the operator alone.
   */
  block(address: string, cause: BlockCause, nowMs: number, lengthMs?: number): Source {
    const blocked = this.find(address, nowMs);
    if (blocked !== undefined && cause !== 'console') return blocked;
    const source = this.#blocked.get(address) ?? this.#watch(address);
    const { blockMs, blockMsMax } = this.rules;
    if (nowMs - source.untilMs >= blockMsMax) source.times = 0;
    source.lengthMs = lengthMs ?? Math.min(blockMs * 2 ** source.times, blockMsMax);
    if (cause !== 'console') source.times += 1;
    source.cause = cause;
    source.sinceMs = nowMs;
    source.untilMs = nowMs + source.lengthMs;
    source.toldUntilMs = source.untilMs;
    source.requests = 0;
    this.#watched.delete(source.address);
    this.#blocked.set(source.address, source);
    this.onChange?.(source.address);
    return source;
  }

  /** Takes in a source that was kept elsewhere, in place of what is known of it. */
  restore(source: Source, nowMs: number): void {
    this.forgive(source.address);
    this.#makeRoom();
    const kept = { ...source, misses: [...source.misses], viruses: [...source.viruses] };
    this.#blocked.set(kept.address, kept);
    this.find(kept.address, nowMs);
    this.onChange?.(kept.address);
  }

  /** Forgets a source with all it did; undefined: it is not known. */
  forgive(address: string): Source | undefined {
    const source = this.#blocked.get(address) ?? this.#watched.get(address);
    this.#blocked.delete(address);
    this.#watched.delete(address);
    if (source !== undefined) this.onChange?.(source.address);
    return source;
  }

  /** Lets go some of those whose time is over; to be called again and again. */
  sweep(nowMs: number): void {
    this.#sweep ??= this.#blocked.values();
    for (let count = 0; count < sweptMax; count += 1) {
      const { done, value } = this.#sweep.next();
      if (done === true) {
        this.#sweep = undefined;
        return;
      }
      this.find(value.address, nowMs);
    }
  }

  /** Those that may be blocked; `find` says. */
  blocked(): Generator<Source> {
    return this.#blocked.values();
  }

  /** The blocked sources, and those that were, whose next block would not be the first. */
  *repeaters(nowMs: number): Generator<Source> {
    yield* this.#blocked.values();
    for (const source of this.#watched.values()) {
      if (nowMs - source.untilMs < this.rules.blockMsMax) yield source;
    }
  }

  /** The blocked ones, the latest used first, and then the watched ones. */
  *entries(): Generator<Source> {
    yield* this.#blocked.newestFirst();
    yield* this.#watched.newestFirst();
  }

  /** A block is over: what led to it counts no more, but that it was. */
  #release(source: Kept): void {
    this.#blocked.delete(source.address);
    source.misses = [];
    source.viruses = [];
    this.#watched.set(source.address, source);
    this.onChange?.(source.address);
  }

  #watch(address: string): Kept {
    const known = this.#watched.get(address);
    if (known !== undefined) {
      this.#watched.touch(address);
      return known;
    }
    this.#makeRoom();
    // A copy: an address may be a part of a head, and would keep the whole of it alive.
    const source: Kept = {
      ...{ address: Buffer.from(address, 'latin1').toString('latin1'), misses: [], viruses: [] },
      ...{ cause: 'misses', sinceMs: 0, lengthMs: 0, untilMs: Number.NEGATIVE_INFINITY },
      ...{ times: 0, requests: 0, toldUntilMs: 0 },
    };
    this.#watched.set(source.address, source);
    return source;
  }

  /** Room for one more. A blocked source goes only when there is no other. */
  #makeRoom(): void {
    while (this.size >= this.rules.sourcesMax) {
      const table = this.#watched.size > 0 ? this.#watched : this.#blocked;
      const oldest = table.oldestKey ?? '';
      table.delete(oldest);
      if (table === this.#blocked) this.onChange?.(oldest);
      this.forgotten += 1;
    }
  }
}
