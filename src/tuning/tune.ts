/**
 * `wormgate tune`: reads logs, replays them with the present settings, tells what would have become of
 * each line, counts what comes how often, chooses a threshold and an interval, and replays once more to
 * see what they do.
 */
import { AddressList } from '../config/address-list.ts';
import type { Settings } from '../config/shape.ts';
import type { Change } from '../virus/change.ts';
import { meaningOf } from '../virus/learning.ts';
import { NeverBlock } from '../virus/never-block.ts';
import type { TunableValues } from '../virus/tunables.ts';
import { type Fate, fateWithoutRequest } from './fate.ts';
import type { Replayed } from './findings.ts';
import { LogClock } from './log-clock.ts';
import { LogFacts } from './log-facts.ts';
import { type LineKind, LogLineReader, type LogRequest } from './log-line.ts';
import { LogOrder } from './log-order.ts';
import { lineBytesMax, readLogs } from './log-reader.ts';
import { recommend } from './recommend.ts';
import { Replay, type ReplayOptions } from './replay.ts';
import { renderReport } from './report.ts';
import { SiteHost } from './site-host.ts';
import { Survey } from './survey.ts';
import type { VerdictFile } from './verdict-file.ts';

export interface TuneOptions {
  readonly files: readonly string[];
  readonly settings: Settings;
  readonly tunables: TunableValues;
  /** PROXY.CFG's and PatternFiles' patterns and keywords. */
  readonly base: readonly Change[];
  /** Whether the files can be read a second time. */
  readonly isRepeatable: boolean;
  /** Takes what becomes of each line; undefined: nobody wants to know. */
  readonly verdicts: VerdictFile | undefined;
  /** Whether the server refuses a request line, latin1, as none of HTTP. */
  readonly isRefused: (requestLine: string) => boolean;
  readonly onProgress: (bytesRead: number, lineCount: number) => void;
  readonly complain: (sentence: string) => void;
}

/** The report, and whether every file was read to its end. */
export interface Tuned {
  readonly report: string;
  readonly allRead: boolean;
}

const ladderSeconds: readonly number[] = [10, 60, 300, 900, 3_600];

/** So many verdicts wait for those before them; then requests are no longer held back for theirs. */
const waitingMax = 100_000;

function replayOptions(
  { settings, base }: TuneOptions,
  tunables: TunableValues,
  siteHost: SiteHost,
): ReplayOptions {
  const { virus, limits, sources, accelerators } = settings;
  return {
    patternSize: virus.patternSize,
    patternStartOffset: virus.patternStartOffset,
    normalizeRequests: virus.normalizeRequests,
    blockConfirmedKeywords: virus.blockConfirmedKeywords,
    action: virus.autoUpdateAction,
    servedMemoryMs: virus.servedMemoryMs,
    tunables,
    maxKeywords: virus.maxKeywords,
    maxLearned: virus.maxLearnedPatterns,
    maxProposals: virus.maxProposedPatterns,
    distributionBytesMax: limits.distributionBytesMax,
    servedMemoryBytesMax: limits.servedMemoryBytesMax,
    neverBlock: new NeverBlock(virus.neverBlockAddresses, virus.neverBlockPaths),
    watchesSources: sources.blocking,
    sourceRules: sources,
    missRules: { statuses: sources.missStatuses, exceptions: sources.missExceptions },
    trustedProxies: new AddressList(accelerators.flatMap(({ trustedProxies }) => trustedProxies)),
    siteHost: () => siteHost.name,
    base,
  };
}

/** One reading of all files. */
interface Reading {
  readonly facts: LogFacts;
  readonly clock: LogClock;
  readonly allRead: boolean;
}

/** What is done with the lines of a reading. */
interface Reader {
  readonly onRequest: (request: LogRequest, text: string, clock: LogClock) => void;
  /** A line that is no request, by its number over all files. */
  readonly onOther?: (line: number, fate: Fate) => void;
  /** Whether requests are to be held back no longer. */
  readonly isUrgent?: () => boolean;
  readonly complain: (sentence: string) => void;
}

/** What becomes of a line that is no request. */
function fateOf(kind: LineKind, line: LogLineReader): Fate {
  if (kind === 'no-request') return fateWithoutRequest(line.isRequestEmpty, line.status);
  return { isBlocked: false, reason: kind === 'note' ? 'note' : 'malformed' };
}

const emptyLine: Fate = { isBlocked: false, reason: 'empty' };

/** Reads all files, and hands over every request with its request string. */
async function readRequests(
  options: TuneOptions,
  siteHost: SiteHost,
  reader: Reader,
): Promise<Reading> {
  const facts = new LogFacts();
  const clock = new LogClock();
  const line = new LogLineReader(lineBytesMax);
  const order = new LogOrder((request) => {
    clock.turnTo(request.atMs);
    reader.onRequest(request, request.text(), clock);
  });
  const allRead = await readLogs({
    files: options.files,
    onFile: (file) => {
      facts.beginFile(file);
      order.flush();
      clock.beginFile();
    },
    onProgress: (bytesRead) => options.onProgress(bytesRead, facts.lines),
    onLine: (bytes, start, end, isCut) => {
      facts.beginLine(start === end);
      line.line += 1;
      if (start === end) return reader.onOther?.(line.line, emptyLine);
      const kind = isCut ? 'malformed' : line.read(bytes, start, end);
      if (kind !== 'request') {
        facts.noteOther(kind, bytes, start, end);
        reader.onOther?.(line.line, fateOf(kind, line));
        if (reader.isUrgent?.() === true) order.flush();
        return;
      }
      facts.noteRequest(line.atMs);
      if (line.hasReferer && meaningOf(line.status) === 'served' && siteHost.isDue) {
        siteHost.note(line.referer() ?? '');
      }
      order.push(line);
    },
    complain: reader.complain,
  });
  order.flush();
  return { facts, clock, allRead };
}

/**
 * Reads the logs a second time, with other settings and no patterns at first; undefined when that cannot
 * be done.
 */
async function replayAgain(
  options: TuneOptions,
  tunables: TunableValues,
  { facts }: Reading,
): Promise<Replay | undefined> {
  if (!options.isRepeatable) return undefined;
  const base = options.base.filter(({ kind }) => kind === 'add-keyword');
  const siteHost = new SiteHost();
  const replay = new Replay({ ...replayOptions(options, tunables, siteHost), base });
  const again = await readRequests(options, siteHost, {
    onRequest: (request, text, { nowMs }) => {
      replay.note(request, text, nowMs);
    },
    // What cannot be read was told already.
    complain: () => {},
  });
  return again.facts.requests < facts.requests ? undefined : replay;
}

function replayed(
  replay: Replay | undefined,
  { HitThreshold, RefreshInterval }: TunableValues,
): Replayed | undefined {
  if (replay === undefined) return undefined;
  return { replay, threshold: HitThreshold, intervalSeconds: RefreshInterval };
}

/** Hands what became of requests and other lines to the file of verdicts. */
function verdictWriter({ verdicts, isRefused }: TuneOptions) {
  const put = (line: number, fate: Fate) => {
    const detail = fate.isBlocked && fate.detail !== '' ? ` ${fate.detail}` : '';
    verdicts?.put(line, fate.isBlocked, `${fate.reason}${detail}`);
  };
  /** What an origin has served, a server in front of it need not understand. */
  const ofRequest = (request: LogRequest, fate: Fate) => {
    if (verdicts === undefined) return;
    const isOdd = !fate.isBlocked && fate.reason !== 'served' && isRefused(request.requestLine());
    put(request.line, isOdd ? { isBlocked: true, reason: 'refused', detail: '' } : fate);
  };
  return { put, ofRequest };
}

/** Reads the logs, twice when they are files, and gives the report. */
export async function tune(options: TuneOptions): Promise<Tuned> {
  const { settings, tunables, verdicts } = options;
  const siteHost = new SiteHost();
  const present = new Replay(replayOptions(options, tunables, siteHost));
  const keywords = Array.from(present.state.keywords.entries(), ({ keyword }) => keyword);
  const seconds = [...new Set([...ladderSeconds, tunables.RefreshInterval])];
  const survey = new Survey(
    settings,
    keywords,
    seconds.sort((one, other) => one - other),
  );
  const writer = verdictWriter(options);
  const first = await readRequests(options, siteHost, {
    onRequest: (request, text, clock) => {
      survey.note(request, text, present.note(request, text, clock.nowMs), clock);
      writer.ofRequest(request, present.fate);
    },
    onOther: writer.put,
    isUrgent: () => (verdicts?.waitingCount ?? 0) > waitingMax,
    complain: options.complain,
  });
  survey.counts.finish();
  const candidates = survey.candidates();
  const recommendation = recommend({
    intervals: survey.counts.intervals,
    candidates,
    humbleCount: survey.humbleCount,
    elapsedMs: first.clock.elapsedMs,
  });
  const wanted = recommendation && {
    ...tunables,
    HitThreshold: recommendation.threshold,
    RefreshInterval: recommendation.intervalSeconds,
  };
  const again = wanted && (await replayAgain(options, wanted, first));
  const report = renderReport({
    facts: first.facts,
    clock: first.clock,
    settings,
    isLearning: tunables.EnablePatternAutoUpdate === 1,
    present: {
      replay: present,
      threshold: tunables.HitThreshold,
      intervalSeconds: tunables.RefreshInterval,
    },
    counts: survey.counts,
    candidateCount: candidates.size,
    keywordCount: keywords.length,
    recommendation,
    recommended: wanted && replayed(again, wanted),
  });
  return { report, allRead: first.allRead };
}
