/**
 * Spans as OTLP, in protobuf: the only file that imports OpenTelemetry's packages. It is loaded when an
 * Endpoint is set, and never imported otherwise. It registers nothing, starts nothing and reads no
 * environment variable: spans in, bytes out.
 */
import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Span } from './span.ts';

/** What is told about this process. */
export interface SpanSource {
  readonly serviceName: string;
  readonly version: string;
  /** Different for each process. */
  readonly instanceId: string;
}

/** The content type of `encodeSpans`. */
export const spansType = 'application/x-protobuf';

/** The body of a POST (ExportTraceServiceRequest). */
export function encodeSpans(spans: readonly Span[], source: SpanSource): Uint8Array {
  const resource = resourceFromAttributes({
    'service.name': source.serviceName,
    'service.version': source.version,
    'service.instance.id': source.instanceId,
  });
  const scope = { name: 'wormgate', version: source.version };
  const readable = spans.map((span) => readableSpan(span, resource, scope));
  return ProtobufTraceSerializer.serializeRequest(readable) ?? new Uint8Array();
}

/** How many spans an answer (ExportTraceServiceResponse) refuses, and why; an odd answer refuses none. */
export function refusedSpans(content: Uint8Array): { count: number; reason: string } {
  try {
    const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(content);
    const { rejectedSpans, errorMessage } = partialSuccess ?? {};
    return { count: Math.max(0, Number(rejectedSpans ?? 0)) || 0, reason: errorMessage ?? '' };
  } catch {
    return { count: 0, reason: '' };
  }
}

function readableSpan(
  span: Span,
  resource: Resource,
  scope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
  const { traceId, spanId, parentSpanId, traceState, startMs, endMs } = span;
  const context = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  const state = traceState === undefined ? {} : { traceState: stateOf(traceState) };
  return {
    name: span.name,
    kind: SpanKind.SERVER,
    spanContext: () => ({ ...context, ...state }),
    ...(parentSpanId !== undefined && {
      parentSpanContext: { ...context, spanId: parentSpanId, isRemote: true },
    }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** It is sent as it came: nobody looks into it. */
function stateOf(text: string) {
  const state = {
    set: () => state,
    unset: () => state,
    get: () => undefined,
    serialize: () => text,
  };
  return state;
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
