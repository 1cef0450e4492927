/**
 * `wormgate tune`: reads logs, replays them with the present settings, counts what comes how often,
 * chooses a threshold and an interval, and replays once more to see what they do.
 */
import type { Settings } from '../config/shape.ts';
import type { Change } from '../virus/change.ts';
import { KeywordSearch } from '../virus/keyword-search.ts';
import { NeverBlock } from '../virus/never-block.ts';
import { ServedMemory } from '../virus/served-memory.ts';
import type { TunableValues } from '../virus/tunables.ts';
import { type LineKind, LogLineReader } from './log-line.ts';
import { lineBytesMax, readLogs } from './log-reader.ts';
import { recommend } from './recommend.ts';
import { Replay, type ReplayOptions } from './replay.ts';
import { type LogFacts, renderReport } from './report.ts';
import { type KeywordWindow, WindowCounts } from './windows.ts';

export interface TuneOptions {
  readonly files: readonly string[];
  readonly settings: Settings;
  readonly tunables: TunableValues;
  /** PROXY.CFG's and PatternFiles' patterns and keywords. */
  readonly base: readonly Change[];
  readonly onProgress: (bytesRead: number, lineCount: number) => void;
  readonly complain: (sentence: string) => void;
}

/** The report, and whether every file was read to its end. */
export interface Tuned {
  readonly report: string;
  readonly allRead: boolean;
}

const ladderSeconds: readonly number[] = [10, 60, 300, 900, 3_600];
const samplesMax = 5;
const sampleBytes = 120;

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

/** Counts what the lines are, and keeps the first malformed ones. */
class Facts implements LogFacts {
  files = 0;
  lines = 0;
  requests = 0;
  notes = 0;
  noRequests = 0;
  malformed = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = 0;
  readonly samples: string[] = [];
  #file = '';
  #line = 0;

  beginFile(file: string): void {
    this.files += 1;
    this.#file = file;
    this.#line = 0;
  }

  note(kind: LineKind, bytes: Buffer, start: number, end: number): void {
    this.#line += 1;
    this.lines += 1;
    if (kind === 'request') this.requests += 1;
    else if (kind === 'note') this.notes += 1;
    else if (kind === 'no-request') this.noRequests += 1;
    else {
      this.malformed += 1;
      if (this.samples.length >= samplesMax) return;
      const text = bytes.toString('latin1', start, Math.min(end, start + sampleBytes));
      const shown = text.replace(/[^\x20-\x7e]/g, '?');
      this.samples.push(`${this.#file}:${this.#line}: ${shown}`);
    }
  }
}

/** One reading of all files: every request to `onRequest`. */
async function readRequests(
  options: TuneOptions,
  onRequest: (line: LogLineReader, text: string) => void,
  complain: (sentence: string) => void,
): Promise<{ readonly facts: Facts; readonly allRead: boolean }> {
  const facts = new Facts();
  const line = new LogLineReader(lineBytesMax);
  const allRead = await readLogs({
    files: options.files,
    onFile: (file) => facts.beginFile(file),
    onProgress: (bytesRead) => options.onProgress(bytesRead, facts.lines),
    onLine: (bytes, start, end, isCut) => {
      if (start === end) return;
      const kind = isCut ? 'malformed' : line.read(bytes, start, end);
      facts.note(kind, bytes, start, end);
      if (kind !== 'request') return;
      facts.firstMs = Math.min(facts.firstMs, line.atMs);
      facts.lastMs = Math.max(facts.lastMs, line.atMs);
      const text = line.text();
      onRequest(line, text);
    },
    complain,
  });
  return { facts, allRead };
}

/** Counts windows as if there were no patterns, and remembers all that was ever served. */
class Survey {
  readonly counts: WindowCounts;
  readonly keywords: readonly string[];
  readonly #settings: Settings;
  readonly #search: KeywordSearch;
  #served: ServedMemory | undefined;
  humbleCount = 0;

  constructor(settings: Settings, keywords: readonly string[], seconds: readonly number[]) {
    this.#settings = settings;
    this.keywords = keywords;
    this.#search = new KeywordSearch(keywords);
    this.counts = new WindowCounts(seconds);
  }

  /** `mayHoldKeyword` false: it is known to hold none. */
  note(line: LogLineReader, text: string, mayHoldKeyword: boolean): void {
    const { bytes, requestStart: start, requestEnd: end, atMs, status } = line;
    const { patternStartOffset, patternSize } = this.#settings.virus;
    const keyword = mayHoldKeyword
      ? this.keywords[this.#search.findInBytes(bytes, start, end, line.mayNormalize)]
      : undefined;
    const window = text.slice(patternStartOffset, patternStartOffset + patternSize);
    this.counts.note(window, text, keyword, atMs);
    if (keyword === undefined) this.humbleCount += 1;
    if (status < 100 || status >= 400) return;
    this.#served ??= new ServedMemory({
      ...{ patternStartOffset, patternSize, seed: 1, nowMs: atMs },
      bytesMax: this.#settings.limits.servedMemoryBytesMax,
      lastsMs: Number.MAX_SAFE_INTEGER,
    });
    this.#served.note(text, 0, text.length, atMs);
  }

  /** The windows with a keyword that were served to nobody, in the whole log. */
  candidates(nowMs: number): ReadonlyMap<number, KeywordWindow> {
    const unserved = [...this.counts.keywordWindows].filter(([, { requestString }]) => {
      return this.#served?.recall(requestString, nowMs) === undefined;
    });
    return new Map(unserved);
  }
}

/** Reads the logs, twice when they are files, and gives the report. */
export async function tune(options: TuneOptions): Promise<Tuned> {
  const { settings, tunables, base } = options;
  const keywordChanges = base.filter(({ kind }) => kind === 'add-keyword');
  const replay = new Replay(replayOptions(options, tunables));
  const keywords = Array.from(replay.state.keywords.entries(), ({ keyword }) => keyword);
  const present = tunables.RefreshInterval;
  const seconds = [...new Set([...ladderSeconds, present])].sort((one, other) => one - other);
  const survey = new Survey(settings, keywords, seconds);
  const { facts, allRead } = await readRequests(
    options,
    (line, text) => {
      survey.note(line, text, replay.note(line, text));
    },
    options.complain,
  );
  survey.counts.finish();
  const candidates = survey.candidates(facts.lastMs);
  const recommendation = recommend({
    intervals: survey.counts.intervals,
    candidates,
    humbleCount: survey.humbleCount,
    elapsedMs: survey.counts.elapsedMs,
  });
  const wanted = recommendation && {
    ...tunables,
    HitThreshold: recommendation.threshold,
    RefreshInterval: recommendation.intervalSeconds,
  };
  const isRepeatable = facts.requests > 0 && !options.files.includes('-');
  let again: Replay | undefined;
  if (wanted !== undefined && isRepeatable) {
    const second = new Replay({ ...replayOptions(options, wanted), base: keywordChanges });
    // What cannot be read was told already.
    await readRequests(
      options,
      (line, text) => void second.note(line, text),
      () => {},
    );
    again = second;
  }
  const replayed = (of: Replay, { HitThreshold, RefreshInterval }: TunableValues) => {
    return { replay: of, threshold: HitThreshold, intervalSeconds: RefreshInterval };
  };
  const report = renderReport({
    facts,
    present: replayed(replay, tunables),
    isLearning: tunables.EnablePatternAutoUpdate === 1,
    counts: survey.counts,
    candidateCount: candidates.size,
    keywordCount: keywords.length,
    recommendation,
    recommended: again && wanted && replayed(again, wanted),
  });
  return { report, allRead };
}
