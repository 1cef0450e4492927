/**
 * Tracing, put together: the tracer for the settings in force, and spans on their way to the collector.
 * OpenTelemetry's packages are loaded the first time that an Endpoint is set.
 */
import { randomUUID } from 'node:crypto';
import { processUpMs } from './clock.ts';
import { packageVersion } from './config/package-folder.ts';
import type { TracingSettings } from './config/shape.ts';
import { Poster, type PosterOptions } from './log/post.ts';
import { passesAtCollector } from './log/post-retry.ts';
import { type Cargo, Sender } from './log/sender.ts';
import type { Span } from './log/span.ts';
import { TraceIds } from './log/trace-ids.ts';
import { Tracer } from './log/tracer.ts';
import type { Statistics } from './statistics.ts';

export interface TraceServiceOptions extends PosterOptions {
  readonly settings: () => TracingSettings;
  readonly statistics: Statistics;
  /** A sentence for the operator. */
  readonly warn: (sentence: string) => void;
}

type Encoder = typeof import('./log/otlp.ts');

const secondMs = 1000;

/** A batch that is not full waits this long for more. */
const gatherMs = 1000;

export class TraceService {
  readonly #options: TraceServiceOptions;
  readonly #poster: Poster;
  readonly #sender: Sender<Span>;
  readonly #ids = new TraceIds();
  readonly #instanceId = randomUUID();
  #encoder: Encoder | undefined;
  #version = '';
  /** The second that spans are counted in, and how many of it there are. */
  #second = -1;
  #countInSecond = 0;

  constructor(options: TraceServiceOptions) {
    this.#options = options;
    this.#poster = new Poster(options);
    const settings = () => {
      const { headers, ...rest } = options.settings();
      return { ...rest, headers: Object.fromEntries(headers) };
    };
    const { post } = this.#poster;
    this.#sender = new Sender({ ...options, settings, post, random: Math.random }, this.#cargo());
  }

  /** A tracer for `settings`, which may be in force only later; undefined: they have none. */
  async tracerFor({ url, sampleRatio }: TracingSettings): Promise<Tracer | undefined> {
    if (url === '') return undefined;
    if (this.#encoder === undefined) {
      this.#encoder = await import('./log/otlp.ts');
      this.#version = packageVersion();
    }
    return new Tracer({
      sampleRatio,
      ids: this.#ids,
      random: Math.random,
      upMs: processUpMs,
      record: (span) => this.#record(span),
    });
  }

  /** Follows the settings in force. */
  applySettings(): void {
    this.#sender.applySettings();
  }

  /** The process ends: each span that waits is sent once, and after `drainMs` none any more. */
  endWithin(drainMs: number): void {
    this.#sender.endWithin(drainMs);
  }

  /** Waits as `endWithin` says; what is recorded afterwards is lost. */
  async close(): Promise<void> {
    await this.#sender.close();
    this.#poster.close();
  }

  #record(span: Span): void {
    const { settings, statistics } = this.#options;
    const second = Math.floor(processUpMs() / secondMs);
    if (second !== this.#second) {
      this.#second = second;
      this.#countInSecond = 0;
    }
    if (this.#countInSecond >= settings().perSecondMax) return statistics.add('spans_omitted');
    this.#countInSecond += 1;
    statistics.add('spans');
    this.#sender.push(span);
  }

  #cargo(): Cargo<Span> {
    return {
      receiver: 'the trace collector',
      things: 'spans',
      counters: {
        posts: 'span_posts',
        failures: 'span_post_failures',
        sent: 'spans_sent',
        refused: 'spans_refused',
        lost: 'spans_lost',
      },
      gatherMs,
      mayPass: passesAtCollector,
      pack: (spans) => this.#pack(spans),
      refusedIn: (content) => this.#encoder?.refusedSpans(content) ?? { count: 0, reason: '' },
    };
  }

  #pack(spans: readonly Span[]) {
    const encoder = this.#encoder;
    // Spans come from a tracer, and there is none before it is loaded.
    if (encoder === undefined) throw new Error('the encoder of spans is not loaded');
    const { serviceName } = this.#options.settings();
    const source = { serviceName, version: this.#version, instanceId: this.#instanceId };
    return {
      headers: { 'Content-Type': encoder.spansType },
      body: encoder.encodeSpans(spans, source),
    };
  }
}
