/** The trace of a request in its head: what its client says of it, and what its origin is told. */
import type { RequestTrace, Tracer } from '../log/tracer.ts';
import { headerLines } from '../upstream/hop-by-hop.ts';

/** The trace of a request, from its raw header list; of several traceparent lines none counts. */
export function traceOf(
  rawHeaders: readonly string[],
  host: string | undefined,
  tracer: Tracer,
): RequestTrace {
  const parents: string[] = [];
  const states: string[] = [];
  for (const [name, value] of headerLines(rawHeaders)) {
    // Lengths first: this is asked of every line of every request.
    if (name.length !== traceparentName.length && name.length !== tracestateName.length) continue;
    const key = name.toLowerCase();
    if (key === traceparentName) parents.push(value);
    else if (key === tracestateName) states.push(value);
  }
  const parent = parents.length === 1 ? parents[0] : undefined;
  return tracer.begin(parent, states.length === 0 ? undefined : states.join(','), host);
}

export const traceparentName = 'traceparent';
export const tracestateName = 'tracestate';

/** Whether a header line of the client, named in lower case, is not what the origin is sent. */
export function isReplacedByTrace(name: string, trace: RequestTrace): boolean {
  if (name === traceparentName) return true;
  return name === tracestateName && trace.state === undefined;
}

const traceparentLine = /\r\ntraceparent: [^\r]*/i;
const traceLines = /\r\ntrace(?:parent|state): [^\r]*/gi;

/** The lines of a head in which no name stands twice, as the origin is sent them. */
export function withTrace(lines: string, { traceparent, state }: RequestTrace): string {
  const kept = lines.replace(state === undefined ? traceLines : traceparentLine, '');
  return `${kept}${traceparentName}: ${traceparent}\r\n`;
}
