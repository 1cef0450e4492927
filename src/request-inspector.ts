/** The inspector of the web console: what became of a logged request, or would become of a request line. */
import { seenLine } from './http/arrival.ts';
import { type Inspection, inspect } from './http/inspection.ts';
import type { FrontParts, Screening } from './http/policy.ts';
import { cutMark } from './log/access.ts';
import { findLineEndingIn, searchedBytesMax } from './log/find-line.ts';

/** What requests are judged by. */
export interface InspectorParts
  extends Pick<FrontParts, 'patterns' | 'keywordScreen' | 'sources' | 'nowMs'> {
  screening(): Screening;
}

/** As request-id.ts makes them, alone or with the name that PROXY.LOG gives them. */
const requestId = /^\s*(?:id=)?([0-9a-f]{10}-[0-9a-z]{1,12})\s*$/;

/** Inspects a request line, latin1, or the request that an id in PROXY.LOG, the file `logPath`, stands for. */
export async function inspectRequest(
  text: string,
  parts: InspectorParts,
  logPath: string,
): Promise<Inspection> {
  const id = requestId.exec(text)?.[1];
  if (id === undefined) return inspect(text, '', parts.screening(), parts);
  const logged = await findLineEndingIn(logPath, ` id=${id}`);
  if (logged === undefined) {
    const finding = `It has no line with this id in its last ${searchedBytesMax / 1_048_576} MiB.`;
    return { outcome: 'unknown', steps: [{ step: 'PROXY.LOG', finding }] };
  }
  const client = logged.slice(0, Math.max(0, logged.indexOf(' ')));
  const line = /"([^"]*)"/.exec(logged)?.[1] ?? '';
  const found = { step: 'PROXY.LOG', finding: logged };
  if (line.endsWith(cutMark)) {
    const finding = 'PROXY.LOG has no more of it than its beginning, of which nothing follows.';
    return { outcome: 'unknown', steps: [found, { step: 'request line', finding }] };
  }
  const { outcome, steps } = inspect(seenLine(line), client, parts.screening(), parts);
  return { outcome, steps: [found, ...steps] };
}
