/**
 * Auto Update put together as the server does it, with the real verdicts, on a clock that is turned by
 * hand and with a thread that answers when the test says so.
 */
import assert from 'node:assert/strict';
import { AutoUpdate } from '../../src/auto-update.ts';
import { loadSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/shape.ts';
import { inTheClear } from '../../src/http/arrival.ts';
import { logRequest } from '../../src/http/exchange-log.ts';
import type { FrontParts, Policy } from '../../src/http/policy.ts';
import { judge, type PatternMatch, type Verdict } from '../../src/http/verdict.ts';
import type { CheckThread } from '../../src/keyword-checks.ts';
import type { WorkerAnswer, WorkerTask } from '../../src/keyword-worker.ts';
import { Latencies } from '../../src/log/latency.ts';
import { Statistics } from '../../src/statistics.ts';
import { HitRates } from '../../src/virus/hit-rates.ts';
import { NeverBlock } from '../../src/virus/never-block.ts';
import { PatternDatabase } from '../../src/virus/pattern-database.ts';
import { Screen } from '../../src/virus/screen.ts';
import { SourceWatch } from '../../src/virus/source-watch.ts';
import { VirusSources } from '../../src/virus/virus-sources.ts';
import { HandClock } from './hand-clock.ts';
import { MemoryJournal } from './memory-journal.ts';

/** A thread that keeps what it was sent until `answer`. */
export class HandThread implements CheckThread {
  keywords: readonly string[] = [];
  readonly checks: { readonly id: number; readonly requestString: string }[] = [];
  isTerminated = false;
  #onMessage: (answer: WorkerAnswer) => void = () => {};
  #onError: (error: Error) => void = () => {};
  #onExit: (code: number) => void = () => {};

  postMessage(task: WorkerTask): void {
    if (task.kind === 'keywords') this.keywords = task.keywords;
    else this.checks.push(task);
  }

  on(event: 'message' | 'error' | 'exit', listener: (value: never) => void): void {
    if (event === 'message') this.#onMessage = listener as (answer: WorkerAnswer) => void;
    else if (event === 'error') this.#onError = listener as (error: Error) => void;
    else this.#onExit = listener as (code: number) => void;
  }

  async terminate(): Promise<void> {
    this.isTerminated = true;
    this.#onExit(1);
  }

  /** Answers the check in hand, if there is one, as the real thread would. */
  answer(): void {
    const check = this.checks.shift();
    if (check === undefined) return;
    const text = check.requestString.toLowerCase();
    const keyword = this.keywords.find((each) => text.includes(each.toLowerCase()));
    this.#onMessage({ id: check.id, keyword });
  }

  crash(): void {
    this.#onError(new Error('out of memory'));
    this.#onExit(1);
  }
}

function settingsWith(lines: readonly string[]): Settings {
  const text = [
    '[Extra Configuration]',
    'ScanVirusPatterns=1',
    '[Accelerator test]',
    'Listen=127.0.0.1:8080',
    'Origin=demo',
    '[Virus Pattern Configuration]',
    'EnablePatternAutoUpdate=1',
    ...lines,
  ].join('\n');
  const loaded = loadSettings('PROXY.CFG', () => Buffer.from(text));
  assert.ok(loaded.ok);
  return loaded.settings;
}

export class LearningRig {
  readonly clock = new HandClock();
  readonly statistics = new Statistics();
  readonly threads: HandThread[] = [];
  readonly recorded: string[] = [];
  readonly warnings: string[] = [];
  readonly journal: MemoryJournal;
  readonly database: PatternDatabase;
  readonly autoUpdate: AutoUpdate;
  readonly hitRates: HitRates;
  /** Off at first. */
  readonly sources: SourceWatch;
  #policy: Policy;
  #settings: Settings;
  readonly #parts: FrontParts;

  /** `lines` stand in `[Virus Pattern Configuration]` and after it. */
  constructor(lines: readonly string[] = [], journalText = '') {
    const settings = settingsWith(lines);
    this.#settings = settings;
    const { virus, limits } = settings;
    const { clock, statistics } = this;
    this.journal = new MemoryJournal(journalText);
    this.hitRates = new HitRates(virus.refreshIntervalSeconds, clock.nowMs());
    this.database = new PatternDatabase({
      patternSize: virus.patternSize,
      maxKeywords: virus.maxKeywords,
      learning: { maxLearned: virus.maxLearnedPatterns, maxProposals: virus.maxProposedPatterns },
      journalBytesMax: limits.journalBytesMax,
      tunables: {
        HitThreshold: virus.hitThreshold,
        RefreshInterval: virus.refreshIntervalSeconds,
        EnablePatternAutoUpdate: virus.autoUpdate ? 1 : 0,
        MaxVirusPatterns: virus.maxPatterns,
      },
      seed: 5,
      journal: this.journal,
      statistics,
      warn: (sentence) => this.warnings.push(sentence),
    });
    this.database.recover(Buffer.from(journalText));
    this.autoUpdate = new AutoUpdate({
      database: this.database,
      hitRates: this.hitRates,
      settings: () => this.#settings,
      clock,
      statistics,
      startThread: () => {
        const thread = new HandThread();
        this.threads.push(thread);
        return thread;
      },
      record: (line) => this.recorded.push(line),
      warn: (sentence) => this.warnings.push(sentence),
      seed: 20010806,
    });
    this.autoUpdate.start();
    const { suspects, keywordScreen, served, missing } = this.autoUpdate;
    this.#policy = {
      settings,
      sites: undefined as unknown as Policy['sites'],
      listeners: new Map(),
      neverBlock: new NeverBlock(virus.neverBlockAddresses, virus.neverBlockPaths),
      screen: new Screen(this.database.patterns, virus, keywordScreen),
      tracer: undefined,
    };
    this.sources = new SourceWatch({
      rules: { statuses: [404], exceptions: [] },
      sourceRules: { ...settings.sources, virusLimit: 1_000_000, missLimit: 1_000_000 },
      served,
      holdsKeyword: (text) => keywordScreen.holdsAny(text),
      neverBlock: () => this.#policy.neverBlock,
      statistics,
    });
    this.sources.isWatching = false;
    this.#parts = {
      policy: () => this.#policy,
      patterns: this.database.patterns,
      hitRates: this.hitRates,
      virusSources: new VirusSources(),
      sources: this.sources,
      suspects,
      keywordScreen,
      served,
      missing,
      deliveries: undefined as unknown as FrontParts['deliveries'],
      findOrigin: () => Promise.reject(new Error('no dynamic origins here')),
      statistics,
      nowMs: () => clock.nowMs(),
      draining: () => false,
      latencies: new Latencies(),
      sharesListeners: false,
      logAccess: () => {},
    };
  }

  /** The thread that runs now. */
  get thread(): HandThread {
    const thread = this.threads.at(-1);
    assert.ok(thread);
    return thread;
  }

  /** Has keywords added as the console does it, and waits until they are searched for. */
  async addKeywords(...keywords: string[]): Promise<void> {
    const atMs = this.clock.nowMs();
    await this.database.commit(
      keywords.map((keyword) => ({ kind: 'add-keyword', keyword, from: 'console', atMs })),
    );
    this.clock.pass(20);
  }

  /** Takes over other settings, as a reload does. */
  reload(...lines: string[]): void {
    this.#settings = settingsWith(lines);
    this.#policy = { ...this.#policy, settings: this.#settings };
    this.autoUpdate.applySettings();
  }

  /** Whether a keyword is confirmed. */
  isConfirmed(keyword: string): boolean {
    return this.database.keywords.find(keyword)?.confirmedAtMs !== undefined;
  }

  /** One request, answered with `status` when it passes. */
  ask(target: string, status = 404, client = '203.0.113.9'): Verdict {
    const requestString = `${target} HTTP/1.0`;
    const match: PatternMatch | undefined = undefined;
    const request = {
      id: 'test',
      atMs: this.clock.nowMs(),
      client,
      target,
      peerTrusted: false,
      proxies: undefined,
      host: 'a.test',
      referer: undefined,
      requestString,
      text: requestString,
      requestStart: 0,
      requestEnd: requestString.length,
      mayNormalize: true,
      rawLine: `GET ${requestString}`,
      arrival: inTheClear,
      isSound: true,
      match,
      holdsKeyword: false,
      error: undefined,
      status,
      bytes: 0,
    };
    const verdict = judge(request, this.#policy, this.#parts);
    if (verdict === 'pass') logRequest(request, this.#parts);
    return verdict;
  }

  /** The same request `count` times; gives how many passed. */
  askOften(count: number, target: string, status = 404): number {
    let passed = 0;
    for (let index = 0; index < count; index += 1) {
      if (this.ask(target, status) === 'pass') passed += 1;
    }
    return passed;
  }

  /** Lets the thread answer, and what follows happen. */
  async check(): Promise<void> {
    while (this.thread.checks.length > 0) this.thread.answer();
    await this.settle();
  }

  /** Lets everything happen that is under way. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) {
      await this.database.idle();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The windows in the pattern set, zeros left out. */
  get patterns(): string[] {
    return Array.from(this.database.patterns.entries(), ({ pattern }) => {
      return Buffer.from(pattern).toString('latin1').replace(/\0+$/, '');
    });
  }
}
