/**
 * `wormgate tune`: reads logs, replays them with the present settings, counts what comes how often,
 * chooses a threshold and an interval, and replays once more to see what they do.
 */
import type { Settings } from '../config/shape.ts';
import type { Change } from '../virus/change.ts';
import { NeverBlock } from '../virus/never-block.ts';
import type { TunableValues } from '../virus/tunables.ts';
import type { Replayed } from './findings.ts';
import { LogClock } from './log-clock.ts';
import { LogFacts } from './log-facts.ts';
import { LogLineReader, type LogRequest } from './log-line.ts';
import { LogOrder } from './log-order.ts';
import { lineBytesMax, readLogs } from './log-reader.ts';
import { recommend } from './recommend.ts';
import { Replay, type ReplayOptions } from './replay.ts';
import { renderReport } from './report.ts';
import { Survey } from './survey.ts';

export interface TuneOptions {
  readonly files: readonly string[];
  readonly settings: Settings;
  readonly tunables: TunableValues;
  /** PROXY.CFG's and PatternFiles' patterns and keywords. */
  readonly base: readonly Change[];
  /** Whether the files can be read a second time. */
  readonly isRepeatable: boolean;
  readonly onProgress: (bytesRead: number, lineCount: number) => void;
  readonly complain: (sentence: string) => void;
}

/** The report, and whether every file was read to its end. */
export interface Tuned {
  readonly report: string;
  readonly allRead: boolean;
}

const ladderSeconds: readonly number[] = [10, 60, 300, 900, 3_600];

function replayOptions({ settings, base }: TuneOptions, tunables: TunableValues): ReplayOptions {
  const { virus, limits } = settings;
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
    base,
  };
}

/** One reading of all files. */
interface Reading {
  readonly facts: LogFacts;
  readonly clock: LogClock;
  readonly allRead: boolean;
}

type OnRequest = (request: LogRequest, text: string, clock: LogClock) => void;

/** Reads all files, and hands over every request with its request string. */
async function readRequests(
  options: TuneOptions,
  complain: (sentence: string) => void,
  onRequest: OnRequest,
): Promise<Reading> {
  const facts = new LogFacts();
  const clock = new LogClock();
  const line = new LogLineReader(lineBytesMax);
  const order = new LogOrder((request) => {
    clock.turnTo(request.atMs);
    onRequest(request, request.text(), clock);
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
      if (start === end) return;
      const kind = isCut ? 'malformed' : line.read(bytes, start, end);
      if (kind !== 'request') return facts.noteOther(kind, bytes, start, end);
      facts.noteRequest(line.atMs);
      order.push(line);
    },
    complain,
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
  const replay = new Replay({ ...replayOptions(options, tunables), base });
  // What cannot be read was told already.
  const complain = () => {};
  const again = await readRequests(options, complain, (request, text, { nowMs }) => {
    replay.note(request, text, nowMs);
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

/** Reads the logs, twice when they are files, and gives the report. */
export async function tune(options: TuneOptions): Promise<Tuned> {
  const { settings, tunables } = options;
  const present = new Replay(replayOptions(options, tunables));
  const keywords = Array.from(present.state.keywords.entries(), ({ keyword }) => keyword);
  const seconds = [...new Set([...ladderSeconds, tunables.RefreshInterval])];
  const survey = new Survey(
    settings,
    keywords,
    seconds.sort((one, other) => one - other),
  );
  const first = await readRequests(options, options.complain, (request, text, clock) => {
    survey.note(request, text, present.note(request, text, clock.nowMs), clock);
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
