/** The inspector of the web console: what became of a logged request, or would become of a request line. */
import { type Inspection, inspect } from './http/inspection.ts';
import type { FrontParts, Screening } from './http/policy.ts';
import { findLineEndingIn } from './log/find-line.ts';

/** What requests are judged by. */
export interface InspectorParts extends Pick<FrontParts, 'patterns' | 'keywordScreen'> {
  screening(): Screening;
}

/** As request-id.ts makes them. */
const requestId = /^[0-9a-f]{10}-[0-9a-z]{1,12}$/;

/** Inspects a request line, latin1, or the request that an id in PROXY.LOG, the file `logPath`, stands for. */
export async function inspectRequest(
  text: string,
  parts: InspectorParts,
  logPath: string,
): Promise<Inspection> {
  if (!requestId.test(text)) return inspect(text, '', parts.screening(), parts);
  const logged = await findLineEndingIn(logPath, ` id=${text}`);
  if (logged === undefined) {
    const finding = 'It has no line with this id in its last 16 MiB.';
    return { outcome: 'unknown', steps: [{ step: 'PROXY.LOG', finding }] };
  }
  const client = logged.slice(0, Math.max(0, logged.indexOf(' ')));
  const line = /"([^"]*)"/.exec(logged)?.[1] ?? '';
  const { outcome, steps } = inspect(line, client, parts.screening(), parts);
  return { outcome, steps: [{ step: 'PROXY.LOG', finding: logged }, ...steps] };
}
