/**
 * What the console's log tells of Auto Update: what was learned or proposed, who sent it and why, and
 * what expired. One line each, in the form of the console's own lines.
 */
import { describeOutcome } from './admin/changes.ts';
import { proposalReasons } from './admin/listing.ts';
import { escapeText, quote } from './config/quoted.ts';
import { formatDate } from './log/access.ts';
import { type Change, type Outcome, sampleBytesMax } from './virus/change.ts';
import { formatPattern } from './virus/pattern.ts';
import type { Suspect } from './virus/suspects.ts';

/**
 * Why something was learned: more than `count` identical requests in `seconds`, with the keyword. Of a
 * miss there need not be any other: both are 0.
 */
export interface LearningCause {
  readonly suspect: Suspect;
  readonly keyword: string;
  readonly frequency: { readonly count: number; readonly seconds: number };
}

/** Words the lines and hands them to `record`. */
export class LearningLines {
  readonly #record: (line: string) => void;
  #lastRejected = '';
  /** The bound that was reached last, until something is learned or proposed again. */
  #lastBound: string | undefined;

  constructor(record: (line: string) => void) {
    this.#record = record;
  }

  /** What became of an addition or a proposal. */
  learned(change: Change | undefined, outcome: Outcome | undefined, cause: LearningCause): void {
    if (change === undefined || outcome === undefined) return;
    const { suspect, keyword, frequency } = cause;
    const line = escapeText(suspect.requestLine.slice(0, sampleBytesMax));
    const isDone = outcome.kind === 'done';
    // A flood of suspects reaches a bound as often as it likes.
    const bound = outcome.kind === 'refused' ? outcome.bound : undefined;
    if (bound !== undefined && bound === this.#lastBound) return;
    this.#lastBound = bound;
    const why =
      change.kind === 'propose' && isDone
        ? ` Not added, because ${proposalReasons[change.proposal.reason]}.`
        : '';
    const what = isDone
      ? describeOutcome(change, outcome)
      : `Not learned: "${formatPattern(suspect.pattern)}". ${outcome.message}`;
    this.#write(
      `${what}${why} ${cause.suspect.isMiss === true ? 'Refused by an origin and never served' : `More than ${frequency.count} requests in ${frequency.seconds} s`}, with the keyword ${quote(keyword)}; the last from ${escapeText(suspect.client)}: "${line}"`,
      suspect.atMs,
    );
  }

  /** A suspect whose pattern the operator does not want; told once. */
  rejected({ pattern, client, atMs }: Suspect, keyword: string): void {
    const what = `Not learned: "${formatPattern(pattern)}" was rejected or deleted on the console.`;
    // It may become suspect again in every interval.
    if (what === this.#lastRejected) return;
    this.#lastRejected = what;
    this.#write(`${what} Keyword ${quote(keyword)}, from ${escapeText(client)}.`, atMs);
  }

  /** Something that was learned and not seen for LearnedPatternDays. */
  expired(change: Change, atMs: number): void {
    this.#write(describeOutcome(change, { kind: 'done' }), atMs);
  }

  fault(sentence: string, atMs: number): void {
    this.#write(sentence, atMs);
  }

  #write(text: string, atMs: number): void {
    this.#record(`[auto update] [${formatDate(atMs)}] ${text}`);
  }
}
