/**
 * What PROXY.LOG tells of the egress gateway: a line a request, as LogRequests says; and of a flood of
 * refused requests no more than MaxEgressLogLines, with a line now and then about the rest.
 */
import type { Clock, Timer } from './clock.ts';
import type { Settings } from './config/shape.ts';
import type { EgressEntry } from './egress/parts.ts';
import { RefusalLines } from './egress/refusal-lines.ts';
import { formatAccess, formatDate } from './log/access.ts';
import type { Statistics } from './statistics.ts';

export interface EgressLogOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** A line for PROXY.LOG. */
  readonly logLine: (line: string) => void;
}

/** How often the requests without a line are told of, in milliseconds, and of how many servers. */
const tellMs = 10_000;
const toldSourcesMax = 10;

export class EgressLog {
  readonly #options: EgressLogOptions;
  readonly #lines: RefusalLines;
  #timer: Timer | undefined;

  constructor(options: EgressLogOptions) {
    this.#options = options;
    this.#lines = new RefusalLines(() => options.settings().limits.egressLogLinesMax);
  }

  record({ client, atMs, requestLine, status, bytes, error }: EgressEntry): void {
    const { settings, clock, statistics, logLine } = this.#options;
    const request = { client, atMs, requestLine };
    const outcome = { kind: 'answered', status, bytes } as const;
    if (error === undefined) {
      if (settings().log.requests === 'all') logLine(formatAccess({ ...request, outcome }));
      return;
    }
    if (!this.#lines.mayTell(client, clock.nowMs())) {
      statistics.add('egress_unlogged');
      this.#timer ??= clock.after(tellMs, () => this.#tell());
      return;
    }
    const refused = { ...outcome, error: { code: error, requestId: '' } };
    logLine(formatAccess({ ...request, outcome: refused }));
  }

  /** Tells of what had no line, now. */
  close(): void {
    if (this.#timer !== undefined) this.#tell();
  }

  #tell(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const untold = [...this.#lines.takeUntold()].sort(([, one], [, other]) => other - one);
    const total = untold.reduce((sum, [, count]) => sum + count, 0);
    const named = untold.slice(0, toldSourcesMax).map(([source, count]) => `${source} ${count}`);
    const more = untold.length - named.length;
    const others = more > 0 ? `, and ${more} other servers` : '';
    const date = formatDate(this.#options.clock.nowMs());
    const text = `${total} refused requests have no line of their own (MaxEgressLogLines): ${named.join(', ')}${others}`;
    this.#options.logLine(`[egress] [${date}] ${text}`);
  }
}
