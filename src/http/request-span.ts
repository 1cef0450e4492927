/**
 * The span that a request leaves, whichever lane it took. Made where its line in PROXY.LOG is made; costs one
 * comparison a request while no Endpoint is set.
 */
import { serverSpan } from '../log/span.ts';
import type { Tracer } from '../log/tracer.ts';
import type { LoggedRequest } from './exchange.ts';
import { isHost } from './head.ts';

/** Records the span of a request that is over, if it has one. */
export function endTrace(request: LoggedRequest, tracer: Tracer, nowMs: number): void {
  const isSlipped = request.match?.mark === 'slip';
  // Slipped at its request line, where no header was read yet: on both lanes none of them counts.
  const trace = isSlipped ? tracer.begin(undefined, undefined, undefined) : request.trace;
  if (trace?.isSampled !== true) return;
  const { traceId, spanId, parentSpanId, state, cache, host } = trace;
  const { id: requestId, client, status, error, match, isSound, arrival } = request;
  const [method = ''] = request.rawLine.split(' ', 1);
  const place = { traceId, spanId, parentSpanId, state };
  const durationMs = isSlipped ? Math.max(0, nowMs - request.atMs) : tracer.durationMs(trace);
  const facts = {
    ...{ requestId, method, client, status, error, cache },
    target: (isSound && targetOf(request)) || undefined,
    scheme: arrival.proto,
    host: host !== undefined && isHost(host) ? host : undefined,
    httpVersion: versionOf(request),
    // What is no request line was not screened.
    verdict: isSound ? (match?.mark ?? 'pass') : undefined,
    matched: match?.matched,
  } as const;
  tracer.record(serverSpan(facts, { ...place, startMs: request.atMs, durationMs }));
}

function targetOf({ text, requestStart, requestEnd }: LoggedRequest): string {
  const end = text.indexOf(' ', requestStart);
  return text.slice(requestStart, end < 0 ? requestEnd : Math.min(end, requestEnd));
}

function versionOf({ arrival, rawLine }: LoggedRequest): string | undefined {
  return arrival.isHttp2 ? '2' : /HTTP\/(1\.[01])$/.exec(rawLine)?.[1];
}
