/**
 * Which trace a request belongs to, what its origin is told of that, and whether it has a span. There is one
 * tracer for the settings in force, and none while no Endpoint is set.
 */
import type { Span } from './span.ts';
import { formatTraceparent, parseTraceparent } from './trace-context.ts';
import type { TraceIds } from './trace-ids.ts';

/** The trace that a request belongs to. */
export interface RequestTrace {
  readonly traceId: string;
  /** Of our own span, whether it is recorded or not. */
  readonly spanId: string;
  /** Undefined: the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly isSampled: boolean;
  /** The traceparent that the origin is sent. */
  readonly traceparent: string;
  /** The tracestate that the client sent; undefined: none, or it belongs to no valid traceparent. */
  readonly state: string | undefined;
  /** The host that was asked for, as in Host. */
  readonly host: string | undefined;
  /** Of the clock that never goes back, in milliseconds; 0 if it is not sampled. */
  readonly startedUpMs: number;
  /** What the cache makes of the request, in the words of RFC 9211. */
  cache: string | undefined;
}

export interface TracerOptions {
  /** 0-1: which part of the traces that begin here is sampled. */
  readonly sampleRatio: number;
  readonly ids: TraceIds;
  /** From 0 to 1, without 1. */
  readonly random: () => number;
  /** A clock that never goes back, in milliseconds. */
  readonly upMs: () => number;
  readonly record: (span: Span) => void;
}

export class Tracer {
  readonly #options: TracerOptions;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /**
   * Begins the trace of a request, or goes on with its client's. `traceparent`: the value of its only line of
   * that name, `state`: that of its tracestate lines. A parent's sampled flag is followed.
   */
  begin(
    traceparent: string | undefined,
    state: string | undefined,
    host: string | undefined,
  ): RequestTrace {
    const { ids, random, sampleRatio, upMs } = this.#options;
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    const traceId = parent?.traceId ?? ids.nextTraceId();
    const spanId = ids.nextSpanId();
    const isSampled = parent?.isSampled ?? random() < sampleRatio;
    return {
      traceId,
      spanId,
      parentSpanId: parent?.spanId,
      isSampled,
      traceparent: formatTraceparent({ traceId, spanId, isSampled }),
      state: parent === undefined ? undefined : state,
      host,
      startedUpMs: isSampled ? upMs() : 0,
      cache: undefined,
    };
  }

  /** How long ago a sampled one began, in milliseconds. */
  durationMs({ startedUpMs }: RequestTrace): number {
    return Math.max(0, this.#options.upMs() - startedUpMs);
  }

  /** Takes the span of a sampled request that is over. */
  record(span: Span): void {
    this.#options.record(span);
  }
}
