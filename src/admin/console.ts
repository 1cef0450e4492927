/**
 * The console: carries out command lines and words the replies (the paper, "Command Line-Based
 * Configuration": responses go to the console and into a log file). Changes of neighbouring lines are
 * committed together, so that a script of a hundred thousand lines needs a few hundred commits. It
 * reads no socket (console-server.ts) and owns nothing: what it works on is its `ConsoleContext`.
 */
import { describeFileError } from '../config/fault.ts';
import { cutLineBytes, cutMark, formatDate } from '../log/access.ts';
import type { OriginRow } from '../upstream/origins.ts';
import type { Change, Outcome } from '../virus/change.ts';
import { answerCacheLine, type CacheConsole, isCacheLine } from './cache-commands.ts';
import { commandChanges, describeOutcome } from './changes.ts';
import { renderCommandHelp } from './command-reference.ts';
import { type FleetReport, renderFleet } from './fleet-listing.ts';
import { type Command, parseLine } from './grammar.ts';
import { type Listed, renderList } from './listing.ts';
import { renderOrigins } from './origin-listing.ts';
import type { Reply } from './reply.ts';
import { formatFigure, renderShow, type ScreenSnapshot } from './screen.ts';
import { answerSourceCommand, isSourceCommand, type SourceConsole } from './source-commands.ts';

/** What the console needs of the running server. */
export interface ConsoleContext {
  /** False while the server starts and the pattern database is not read yet: lines are refused. */
  ready(): boolean;
  /** Bytes. */
  readonly patternSize: number;
  /** False: every line is answered `virus command not found`. */
  scanVirusPatterns(): boolean;
  /** Makes the changes durable and applies them; one outcome a change, in order. */
  commit(changes: readonly Change[]): Promise<readonly Outcome[]>;
  /** Resolves when what follows tells of all that happened before. */
  refresh(): Promise<void>;
  snapshot(): ScreenSnapshot;
  /** The throttle's report of a source, or of all, or its advice; undefined: of an unknown source. */
  status(source: string | undefined, isAdvice: boolean): string | undefined;
  readonly cache: CacheConsole;
  /** The origins of all sites. */
  origins(): readonly OriginRow[];
  /** The machines that this one shares with; undefined: none. */
  fleet(): Promise<FleetReport | undefined>;
  readonly listed: Listed;
  readonly sources: SourceConsole;
  /** Writes VIRPAT.NCF; rejects when it cannot. */
  dump(): Promise<{
    readonly path: string;
    readonly patterns: number;
    readonly keywords: number;
  }>;
  nowMs(): number;
  /** Takes one line for the ConsoleLog. */
  record(text: string): Promise<void> | void;
}

/** Where a line comes from; new patterns and keywords carry it as their provenance. */
export type ConsoleOrigin = 'console' | 'ncf';

const notFound: Reply = { ok: false, text: 'virus command not found' };
/** The reply to whatever is asked before the context is ready. */
export const notReadyText = 'wormgate is still starting; try again in a moment.';

/** Beyond this many characters of replies a batch gets no more tables. */
const batchReplyMax = 4 * 1024 * 1024;

function refused(text: string): Reply {
  return { ok: false, text };
}

/** `virus origins`, which has nothing to do with patterns, but is typed like all others. */
function isAboutOrigins(line: string): boolean {
  const parsed = parseLine(line);
  return parsed.ok && parsed.command.word === 'origins';
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

async function dump(context: ConsoleContext): Promise<Reply> {
  try {
    const { path, patterns, keywords } = await context.dump();
    const what = `${counted(patterns, 'pattern')} and ${counted(keywords, 'keyword')}`;
    return { ok: true, text: `Wrote ${what} to ${path}` };
  } catch (error) {
    return refused(`VIRPAT.NCF could not be written: ${describeFileError(error)}.`);
  }
}

async function answer(command: Command, context: ConsoleContext): Promise<Reply> {
  if (command.asksHelp) return { ok: true, text: renderCommandHelp(command.word) };
  await context.refresh();
  if (isSourceCommand(command)) return await answerAboutSources(command, context);
  switch (command.word) {
    case 'list':
      return { ok: true, text: renderList(command.options.has('k'), context.listed) };
    case 'origins':
      return { ok: true, text: renderOrigins(context.origins()) };
    case 'fleet':
      return { ok: true, text: renderFleet(await context.fleet(), context.nowMs()) };
    case 'show':
      return { ok: true, text: renderShow(context.snapshot()) };
    case 'dump':
      return await dump(context);
    default:
      return refused(
        'A script cannot run another: "virus run" is typed at a shell or on the console.',
      );
  }
}

async function answerAboutSources(command: Command, context: ConsoleContext): Promise<Reply> {
  try {
    return await answerSourceCommand(command, context.sources, context.nowMs());
  } catch (error) {
    return refused(`The change could not be made durable: ${describeFileError(error)}.`);
  }
}

const escapes = Array.from({ length: 256 }, (_, code) => {
  return `\\x${code.toString(16).padStart(2, '0')}`;
});

/** Puts what a line holds into printable ASCII, so that it stays one line in the log. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => escapes[character.charCodeAt(0)] ?? '?');
}

function replyOf(changes: readonly Change[], outcomes: readonly Outcome[]): Reply {
  const texts = changes.map((change, index) => {
    const outcome = outcomes[index] ?? { kind: 'refused', message: 'The server gave no answer.' };
    return describeOutcome(change, outcome);
  });
  const ok = outcomes.length === changes.length && outcomes.every(({ kind }) => kind !== 'refused');
  const reply = { ok, text: texts.join(' ') };
  return ok && outcomes.every(({ kind }) => kind === 'unchanged')
    ? { ...reply, unchanged: true }
    : reply;
}

/** The paper's rule of thumb, for a threshold that breaks it ("Choosing a Proper Threshold"). */
function withAdvice(reply: Reply, changes: readonly Change[], context: ConsoleContext): Reply {
  const [threshold] = changes.flatMap((change) =>
    change.kind === 'set' && change.name === 'HitThreshold' ? [change.value] : [],
  );
  if (threshold === undefined || !reply.ok) return reply;
  const rate = context.snapshot().aveNonVirusHitRate;
  if (threshold > rate) return reply;
  const advice = `It should be greater than the Ave Non Virus Hit Rate, which is ${formatFigure(rate)}.`;
  return { ...reply, text: `${reply.text} ${advice}` };
}

/** The lines of one batch on their way: what is answered, and what still waits to be committed. */
class Batch {
  readonly replies: Reply[] = [];
  readonly #lines: readonly string[];
  readonly #context: ConsoleContext;
  readonly #lineBytesMax: number;
  readonly #who: string;
  readonly #waiting: { readonly index: number; readonly changes: readonly Change[] }[] = [];
  #replyLength = 0;

  constructor(
    lines: readonly string[],
    context: ConsoleContext,
    lineBytesMax: number,
    who: string,
  ) {
    this.#lines = lines;
    this.#context = context;
    this.#lineBytesMax = lineBytesMax;
    this.#who = who;
  }

  async carryOut(origin: ConsoleOrigin): Promise<void> {
    for (const [index, line] of this.#lines.entries()) {
      if (isCacheLine(line)) await this.#carryOutCacheLine(index, line);
      else if (!this.#context.scanVirusPatterns() && !isAboutOrigins(line))
        this.#reply(index, notFound);
      else if (!this.#context.ready()) this.#reply(index, refused(notReadyText));
      else if (line.length > this.#lineBytesMax) this.#reply(index, this.#tooLong());
      else await this.#carryOutLine(index, line, origin);
    }
    await this.#commitWaiting();
    await this.#record();
  }

  async #carryOutCacheLine(index: number, line: string): Promise<void> {
    if (line.length > this.#lineBytesMax) return this.#reply(index, this.#tooLong());
    await this.#commitWaiting();
    const { cache, nowMs } = this.#context;
    await this.#context.refresh();
    this.#reply(index, await answerCacheLine(line, cache, nowMs()));
  }

  async #carryOutLine(index: number, line: string, from: ConsoleOrigin): Promise<void> {
    const context = this.#context;
    const parsed = parseLine(line);
    if (!parsed.ok) {
      this.#reply(index, refused(parsed.message));
      return;
    }
    const { patternSize } = context;
    const made = commandChanges(parsed.command, { patternSize, from, atMs: context.nowMs() });
    if (!made.ok) {
      this.#reply(index, refused(made.message));
    } else if (made.changes.length > 0) {
      this.#waiting.push({ index, changes: made.changes });
    } else {
      await this.#commitWaiting();
      const tooMuch = this.#replyLength > batchReplyMax;
      const reply = tooMuch
        ? refused('The replies of this batch have grown too long; send fewer lines at once.')
        : await answer(parsed.command, context);
      this.#reply(index, reply);
    }
  }

  #tooLong(): Reply {
    return refused(`The line is longer than ${this.#lineBytesMax} bytes.`);
  }

  #reply(index: number, reply: Reply): void {
    this.replies[index] = reply;
    this.#replyLength += reply.text.length;
  }

  async #commitWaiting(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    const changes = waiting.flatMap((each) => each.changes);
    const outcomes = await this.#commit(changes);
    let at = 0;
    for (const each of waiting) {
      const end = at + each.changes.length;
      const reply = replyOf(each.changes, outcomes.slice(at, end));
      this.#reply(each.index, withAdvice(reply, each.changes, this.#context));
      at = end;
    }
  }

  async #commit(changes: readonly Change[]): Promise<readonly Outcome[]> {
    try {
      return await this.#context.commit(changes);
    } catch (error) {
      const message = `The change could not be made durable: ${describeFileError(error)}.`;
      return changes.map(() => ({ kind: 'refused', message }));
    }
  }

  async #record(): Promise<void> {
    const context = this.#context;
    const date = formatDate(context.nowMs());
    for (const [index, line] of this.#lines.entries()) {
      const cut = line.length > this.#lineBytesMax;
      const typed = cut ? `${printable(line.slice(0, cutLineBytes))}${cutMark}` : printable(line);
      await context.record(`[${this.#who}] ${typed}`);
      const [first = '', ...more] = (this.replies[index]?.text ?? '').split('\n');
      const rest = more.length > 0 ? ` ... ${more.length} more lines` : '';
      await context.record(`[${this.#who}] [${date}] ${printable(first)}${rest}`);
    }
  }
}

/**
 * Carries out lines in their order, as one batch; one reply a line. A line is latin1, one character a
 * byte; one longer than `lineBytesMax` is refused. Each is recorded with the first line of its reply, and
 * with `who` has sent it.
 */
export async function executeLines(
  lines: readonly string[],
  context: ConsoleContext,
  origin: ConsoleOrigin,
  lineBytesMax: number = Number.POSITIVE_INFINITY,
  who = 'console',
): Promise<Reply[]> {
  const batch = new Batch(lines, context, lineBytesMax, who);
  await batch.carryOut(origin);
  return batch.replies;
}

/** Carries out one line. */
export async function executeLine(
  line: string,
  context: ConsoleContext,
  origin: ConsoleOrigin,
): Promise<Reply> {
  const [reply] = await executeLines([line], context, origin);
  return reply ?? notFound;
}
