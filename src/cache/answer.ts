/**
 * The answer that a client gets from a stored one: the whole, a part, 304 or 416. What is added to it on its
 * way, and how it is written, is each lane's business.
 */
import { isNotModified, isRangeWanted, notModifiedLines } from './conditional.ts';
import type { StoredAnswer } from './entry.ts';
import type { HeaderLine } from './fields.ts';
import type { LookupRequest } from './lookup.ts';
import { contentRange, decideRange, type RangeDecision } from './range.ts';

/** What a client is answered; the body is [bodyStart, bodyEnd) of the stored one. */
export interface ClientAnswer {
  readonly status: number;
  readonly reason: string;
  /** Without Age and what else is added. */
  readonly lines: readonly HeaderLine[];
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

/** Decides what a stored answer is for a request that it answers: conditions first, then the range. */
export function answerFrom(
  answer: StoredAnswer,
  { method, header }: LookupRequest,
  nowMs: number,
): ClientAnswer {
  if (isNotModified(answer, header, nowMs)) {
    const lines = notModifiedLines(answer);
    return { status: 304, reason: 'Not Modified', lines, bodyStart: 0, bodyEnd: 0 };
  }
  const { status, reason, lines, body } = answer;
  const range = header('range');
  // RFC 9110 §14.2: of GET alone, and only of what would be a 200.
  if (range !== undefined && method === 'GET' && status === 200) {
    const decision = isRangeWanted(answer, header, nowMs) ? decideRange(range, body.length) : whole;
    if (decision.kind === 'part') return partOf(answer, decision);
    if (decision.kind === 'unsatisfiable') return unsatisfiable(answer, decision);
  }
  const bodyEnd = method === 'HEAD' ? 0 : body.length;
  return { status, reason, lines, bodyStart: 0, bodyEnd };
}

const whole: RangeDecision = { kind: 'whole' };

function partOf(
  { lines, body }: StoredAnswer,
  decision: RangeDecision & { readonly kind: 'part' },
): ClientAnswer {
  const { start, end } = decision;
  const partLines = lines.map((line): HeaderLine => {
    return line[0].toLowerCase() === 'content-length' ? [line[0], String(end - start)] : line;
  });
  partLines.push(['Content-Range', contentRange(decision, body.length)]);
  const reason = 'Partial Content';
  return { status: 206, reason, lines: partLines, bodyStart: start, bodyEnd: end };
}

/** Without a body, and without what describes one. */
function unsatisfiable({ lines, body }: StoredAnswer, decision: RangeDecision): ClientAnswer {
  const dateLines = lines.filter(([name]) => name.toLowerCase() === 'date');
  return {
    status: 416,
    reason: 'Range Not Satisfiable',
    lines: [
      ...dateLines,
      ['Content-Range', contentRange(decision, body.length)],
      ['Content-Length', '0'],
    ],
    bodyStart: 0,
    bodyEnd: 0,
  };
}
