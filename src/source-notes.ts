/**
 * What workers tell of sources, taken over into the tables of the primary, which alone knows what was ever
 * served: it finds out which of the possible misses are some, and marks their lines.
 */
import type { Report } from './fleet/messages.ts';
import { cutWindow } from './virus/pattern.ts';
import type { SourceWatch } from './virus/source-watch.ts';
import type { Suspects } from './virus/suspects.ts';

/** Where patterns are cut from request strings; a change takes a restart. */
export interface PatternWindow {
  readonly patternStartOffset: number;
  readonly patternSize: number;
}

/** Counts what a report tells, after what was served according to it. Gives the report's lines, marked. */
export function takeSourceNotes(
  report: Pick<Report, 'misses' | 'viruses' | 'sourceUses' | 'lines'>,
  suspects: Suspects,
  watch: SourceWatch,
  { patternStartOffset, patternSize }: PatternWindow,
): string {
  for (const { address, count, atMs } of report.sourceUses) watch.renew(address, atMs, count);
  for (const { address, matched, requestId, atMs } of report.viruses) {
    watch.countVirus(address, matched, requestId, atMs);
  }
  const marked: string[] = [];
  let end = 0;
  for (const miss of report.misses) {
    const { client, requestString, requestLine, atMs, mark } = miss;
    const verdict = watch.noteAnswer(miss, miss);
    if (verdict !== 'miss' && verdict !== 'referred') continue;
    if (requestLine !== undefined) {
      const pattern = cutWindow(requestString, patternStartOffset, patternSize);
      suspects.offerMiss({ pattern, requestString, requestLine, client, atMs });
    }
    if (verdict === 'referred' || mark === undefined) continue;
    marked.push(report.lines.slice(end, mark.at), mark.text);
    end = mark.at;
  }
  return end === 0 ? report.lines : marked.join('') + report.lines.slice(end);
}
