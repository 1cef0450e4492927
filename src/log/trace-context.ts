/**
 * The traceparent header of W3C Trace Context (Level 1, §3.2), read and written. Pure. tracestate is passed on
 * as it came, or not at all, so nothing reads it here.
 */

/** What a valid traceparent says. */
export interface TraceParent {
  /** 32 hex digits in lower case. */
  readonly traceId: string;
  /** The span that the request belongs to; 16 hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const hex = '[0-9a-f]';
const grammar = new RegExp(`^(${hex}{2})-(${hex}{32})-(${hex}{16})-(${hex}{2})(-.*)?$`);
const zeroes = /^0+$/;

/** No version that is known, or in sight, needs more; a longer value is not looked at. */
const lengthMax = 512;

/** Bit 0 of the flags; the meaning of the others is not known (§3.2.2.5). */
const sampledFlag = 1;

/**
 * Reads a traceparent; undefined: it is not valid, and the request begins a trace of its own. Of a version
 * that is not known, the parts of version 00 are read, whatever stands behind them (§4.3).
 */
export function parseTraceparent(value: string): TraceParent | undefined {
  if (value.length > lengthMax) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = grammar.exec(value) ?? [];
  if (version === undefined || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  if (zeroes.test(traceId) || zeroes.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & sampledFlag) === 1 };
}

/** The value that is sent on, of version 00. */
export function formatTraceparent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
