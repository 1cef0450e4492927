/**
 * One throttle for each source of connections (the paper: "each instance of the filter driver"), so that
 * an infected server is slowed while its neighbours are not. Keeps the time for them: whoever waits is
 * told when it is its turn. Bounded; a source that says nothing makes room for another.
 */
import type { Clock, Timer } from '../clock.ts';
import { addUp, type ThrottleReport } from './status.ts';
import { type Admission, Throttle, type ThrottleEvent, type ThrottleSettings } from './throttle.ts';

/** A connection request that may have to wait. */
export interface Turn {
  /** Its host's turn has come. */
  go(): void;
  /** It will not come: the source is blocked, or nothing is let go any more. */
  refuse(why: 'blocked' | 'stopping'): void;
}

export interface SourcesOptions {
  readonly clock: Clock;
  /** Whether connections are delayed at all; if not, all pass and nothing is counted. */
  readonly isOn: () => boolean;
  readonly settings: () => ThrottleSettings;
  /** OnVirusLikeActivity=block: how long new hosts are refused; undefined: they are delayed. */
  readonly blockMs: () => number | undefined;
  /** So many sources are kept apart, the proxy's own not counted. */
  readonly sourcesMax: () => number;
  /** Hosts that the proxy itself always knows. */
  readonly isOrigin: (host: string) => boolean;
  readonly onEvent: (source: string, event: ThrottleEvent) => void;
  /** There is no room for a further source; told once, until there was. */
  readonly onFull: () => void;
}

interface Source {
  readonly throttle: Throttle<Turn>;
  timer: Timer | undefined;
  /** Ends the time in which new hosts are refused. */
  blockTimer: Timer | undefined;
  /** A block has begun, and what waits is still in the queue. */
  isToRefuse: boolean;
}

/**
 * `full`: there are too many sources, and each of them has somebody waiting. `blocked`: because of
 * virus-like activity the source reaches no new host.
 */
export type SourceAdmission = Admission | 'full' | 'blocked';

/** The source that the proxy's own connections to origins count for; no address is called so. */
export const acceleratorSource = 'accelerator';

export class ThrottledSources {
  readonly #options: SourcesOptions;
  /** The one that was heard of longest ago first. */
  readonly #sources = new Map<string, Source>();
  #newest = '';
  #isToldFull = false;
  /** What the sources that are not kept any more have counted. */
  #forgotten: ThrottleReport;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#forgotten = addUp([], options.settings());
  }

  /** How many sources are known. */
  get size(): number {
    return this.#sources.size;
  }

  /** A connection request of `source` to `host`; queued, its `turn.go` is called later. */
  admit(source: string, host: string, turn: Turn): SourceAdmission {
    if (!this.#options.isOn()) return 'passed';
    const entry = this.#sourceFor(source);
    if (entry === undefined) return 'full';
    if (entry.blockTimer !== undefined && !entry.throttle.knows(host)) return 'blocked';
    const admission = entry.throttle.admit(host, turn, this.#options.clock.nowMs());
    if (this.#refuseWaiting(entry, turn)) return 'blocked';
    if (admission === 'queued') this.#schedule(entry);
    return admission;
  }

  /** The request's client has gone; false when it does not wait. */
  abandon(source: string, turn: Turn): boolean {
    return this.#sources.get(source)?.throttle.abandon(turn) ?? false;
  }

  /** Takes over new settings, for all sources. */
  configure(): void {
    const nowMs = this.#options.clock.nowMs();
    const isOn = this.#options.isOn();
    for (const entry of this.#sources.values()) {
      // Before lower marks can begin a block that refuses them.
      if (!isOn) for (const turn of entry.throttle.takeAll()) turn.go();
      entry.throttle.configure(this.#options.settings(), nowMs);
      this.#refuseWaiting(entry);
      entry.timer?.cancel();
      entry.timer = undefined;
      if (isOn) this.#schedule(entry);
      if (entry.blockTimer !== undefined && !this.#mayBlock()) {
        entry.blockTimer.cancel();
        this.#unblock(entry);
      }
    }
  }

  /** The report of one source; undefined when nothing was ever heard of it, or not lately. */
  report(source: string): ThrottleReport | undefined {
    const entry = this.#sources.get(source);
    return entry === undefined ? undefined : reportOf(entry);
  }

  /** The hosts that a source reaches without delay, those of `isOrigin` left out. */
  knownHosts(source: string): readonly string[] {
    return this.#sources.get(source)?.throttle.knownHosts() ?? [];
  }

  /** The reports of the sources that have most waiting, then of those heard of last. */
  busiest(count: number): (ThrottleReport & { readonly source: string })[] {
    const reports = Array.from(this.#sources, ([source, entry]) => ({
      source,
      ...reportOf(entry),
    }));
    return reports
      .reverse()
      .sort((one, other) => other.counts.waiting - one.counts.waiting)
      .slice(0, count);
  }

  /** All sources together, those that were forgotten included. */
  total(): ThrottleReport {
    const known = Array.from(this.#sources.values(), reportOf);
    return addUp([this.#forgotten, ...known], this.#options.settings());
  }

  /** Stops the clocks, and refuses what waits. */
  close(): void {
    for (const entry of this.#sources.values()) {
      entry.timer?.cancel();
      entry.blockTimer?.cancel();
      for (const turn of entry.throttle.takeAll()) turn.refuse('stopping');
    }
    this.#sources.clear();
  }

  #sourceFor(source: string): Source | undefined {
    const known = this.#sources.get(source);
    if (known !== undefined) {
      if (source !== this.#newest) {
        this.#sources.delete(source);
        this.#sources.set(source, known);
        this.#newest = source;
      }
      return known;
    }
    const isOwn = source === acceleratorSource;
    if (!isOwn && this.#isFull() && !this.#forgetOne()) return this.#tellFull();
    this.#isToldFull = false;
    const { settings, isOrigin, onEvent } = this.#options;
    const throttle = new Throttle<Turn>({
      settings: settings(),
      onEvent: (event) => {
        onEvent(source, event);
        if (event === 'detected') this.#block(made);
      },
      ...(isOwn && { isAlwaysKnown: isOrigin }),
    });
    const made: Source = { throttle, timer: undefined, blockTimer: undefined, isToRefuse: false };
    this.#sources.set(source, made);
    this.#newest = source;
    return made;
  }

  #tellFull(): undefined {
    if (!this.#isToldFull) this.#options.onFull();
    this.#isToldFull = true;
    return undefined;
  }

  #mayBlock(): boolean {
    return this.#options.isOn() && this.#options.blockMs() !== undefined;
  }

  #isFull(): boolean {
    const ownCount = this.#sources.has(acceleratorSource) ? 1 : 0;
    return this.#sources.size - ownCount >= this.#options.sourcesMax();
  }

  /**
   * Refuses what waits, and all new hosts for a while: what waits would otherwise go on being let go, a
   * host an interval, which is as many as without a block.
   */
  #block(entry: Source): void {
    const { clock, blockMs } = this.#options;
    const forMs = blockMs();
    if (forMs === undefined) return;
    entry.throttle.hold(true);
    entry.blockTimer = clock.after(forMs, () => this.#unblock(entry));
    entry.isToRefuse = true;
  }

  /** Refuses what waits, if a block has begun meanwhile. */
  #refuseWaiting(entry: Source, besides?: Turn): boolean {
    if (!entry.isToRefuse) return false;
    entry.isToRefuse = false;
    for (const turn of entry.throttle.takeAll()) if (turn !== besides) turn.refuse('blocked');
    return true;
  }

  #unblock(entry: Source): void {
    entry.blockTimer = undefined;
    entry.throttle.hold(false);
  }

  /** Forgets the source that was heard of longest ago and has nobody waiting; its counts are kept. */
  #forgetOne(): boolean {
    for (const [source, entry] of this.#sources) {
      const isWaiting = entry.throttle.counts.waiting > 0;
      // Whoever is blocked may not be forgiven because others came.
      if (source === acceleratorSource || isWaiting || entry.blockTimer !== undefined) continue;
      const { settings } = this.#options;
      this.#forgotten = addUp([this.#forgotten, reportOf(entry)], settings());
      this.#sources.delete(source);
      return true;
    }
    return false;
  }

  #schedule(entry: Source): void {
    const { nextReleaseMs } = entry.throttle;
    if (entry.timer !== undefined || nextReleaseMs === undefined) return;
    const { clock } = this.#options;
    const delayMs = Math.max(0, nextReleaseMs - clock.nowMs());
    entry.timer = clock.after(delayMs, () => {
      entry.timer = undefined;
      const turns = entry.throttle.release(clock.nowMs());
      this.#schedule(entry);
      for (const turn of turns) turn.go();
    });
  }
}

function reportOf({ throttle }: Source): ThrottleReport {
  return { activity: throttle.activity, counts: throttle.counts, settings: throttle.settings };
}
