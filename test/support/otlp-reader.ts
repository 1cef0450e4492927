/** Reads what a collector is sent: the fields of OTLP's trace messages (opentelemetry-proto 1.x). */
import { Message } from './protobuf.ts';

export type AttributeValue = string | number;
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: none. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2 is SERVER. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly flags: number;
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

/** The spans of an ExportTraceServiceRequest. */
export function readSpans(bytes: Buffer): ReceivedSpan[] {
  return new Message(bytes).messages(1).flatMap((resourceSpans) => {
    const [resource] = resourceSpans.messages(1);
    const described = resource === undefined ? {} : readAttributes(resource.messages(1));
    const spans = resourceSpans.messages(2).flatMap((scopeSpans) => scopeSpans.messages(2));
    return spans.map((span) => readSpan(span, described));
  });
}

function readSpan(span: Message, resource: Attributes): ReceivedSpan {
  return {
    traceId: span.hex(1),
    spanId: span.hex(2),
    traceState: span.text(3),
    parentSpanId: span.hex(4),
    name: span.text(5),
    kind: Number(span.integer(6)),
    startNs: span.integer(7),
    endNs: span.integer(8),
    attributes: readAttributes(span.messages(9)),
    status: Number(span.messages(15)[0]?.integer(3) ?? 0n),
    flags: Number(span.integer(16)),
    resource,
  };
}

function readAttributes(pairs: readonly Message[]): Attributes {
  return Object.fromEntries(
    pairs.map((pair): [string, AttributeValue] => {
      const [value] = pair.messages(2);
      if (value === undefined) throw new Error(`${pair.text(1)} has no value`);
      return [pair.text(1), value.has(3) ? Number(value.integer(3)) : value.text(1)];
    }),
  );
}

/** An ExportTraceServiceResponse that refuses `count` (below 128) spans. */
export function refusalOf(count: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  const partial = Buffer.concat([Buffer.from([0x08, count, 0x12, text.length]), text]);
  return Buffer.concat([Buffer.from([0x0a, partial.length]), partial]);
}
