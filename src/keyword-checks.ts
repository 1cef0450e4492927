/**
 * The keyword checks of suspects, in a thread of their own: a bounded queue before it, one check at a
 * time in it. A thread that crashes or hangs is replaced, costs the suspect in hand, and never holds up
 * or loses a request. What the answers mean is auto-update.ts.
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from './clock.ts';
import { describeError } from './config/fault.ts';
import type { WorkerAnswer, WorkerTask } from './keyword-worker.ts';
import type { Statistics } from './statistics.ts';
import type { Suspect } from './virus/suspects.ts';

/** The part of a thread that is used here. */
export interface CheckThread {
  postMessage(task: WorkerTask): void;
  on(event: 'message', listener: (answer: WorkerAnswer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<unknown>;
}

export interface KeywordChecksOptions {
  /** Starts a thread that runs keyword-worker.ts. */
  readonly startThread: () => CheckThread;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** MaxSuspectQueue and KeywordCheckTimeout, which a reload may change. */
  readonly limits: () => {
    readonly suspectQueueMax: number;
    readonly keywordCheckTimeoutMs: number;
  };
  /** Told of each suspect that was checked; `keyword` is one that it holds, if it holds any. */
  readonly onChecked: (suspect: Suspect, keyword: string | undefined) => void;
  /** Told in a sentence when a thread had to be replaced. */
  readonly warn: (sentence: string) => void;
}

/** After a crash the next thread waits for this long, twice as long after each crash in a row. */
const restartDelayMs = 100;
const restartDelayMaxMs = 10_000;

/** A thread that runs the keyword worker and does not keep the process alive. */
export function startKeywordThread(): CheckThread {
  const thread = new Worker(new URL('./keyword-worker.js', import.meta.url));
  thread.unref();
  return thread;
}

/** The queue and the thread behind it. Stopped at first. */
export class KeywordChecks {
  readonly #options: KeywordChecksOptions;
  readonly #queue: Suspect[] = [];
  #keywords: readonly string[] = [];
  #isRunning = false;
  #thread: CheckThread | undefined;
  #inHand: { readonly id: number; readonly suspect: Suspect } | undefined;
  #nextId = 1;
  #timeout: Timer | undefined;
  #restart: Timer | undefined;
  #crashesInRow = 0;
  /** It was full, and has not been empty since: that is told once. */
  #isFull = false;

  constructor(options: KeywordChecksOptions) {
    this.#options = options;
  }

  /** Starts the thread, unless it runs. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#startThread();
  }

  /** Stops the thread and forgets what waits. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#queue.length = 0;
    this.#restart?.cancel();
    await this.#dropThread();
  }

  /** The keywords to look for from now on, in the suspects that wait, too. */
  setKeywords(keywords: readonly string[]): void {
    this.#keywords = keywords;
    this.#thread?.postMessage({ kind: 'keywords', keywords });
  }

  /** Takes a suspect to be checked; false, and counted: the queue is full. */
  offer(suspect: Suspect): boolean {
    const { statistics, limits } = this.#options;
    if (!this.#isRunning || this.#queue.length >= limits().suspectQueueMax) {
      statistics.add('suspects_refused');
      if (this.#isRunning && !this.#isFull) {
        this.#options.warn('The queue of suspects is full; those that come now are checked later.');
      }
      this.#isFull = true;
      return false;
    }
    statistics.add('suspects');
    this.#queue.push(suspect);
    this.#checkNext();
    return true;
  }

  #startThread(): void {
    const thread = this.#tryStart();
    if (thread === undefined) return;
    this.#thread = thread;
    let fault = '';
    thread.on('error', (error) => {
      fault = `: ${error.message}`;
    });
    thread.on('message', (answer) => {
      if (this.#thread === thread) this.#take(answer);
    });
    thread.on('exit', () => {
      if (this.#thread !== thread) return;
      this.#options.statistics.add('keyword_worker_crashes');
      this.#replace(`The worker of the keyword check ended${fault}`);
    });
    thread.postMessage({ kind: 'keywords', keywords: this.#keywords });
    this.#checkNext();
  }

  /** Undefined: the machine has no thread to give, and another try will be made. */
  #tryStart(): CheckThread | undefined {
    try {
      return this.#options.startThread();
    } catch (error) {
      const reason = describeError(error);
      this.#options.statistics.add('keyword_worker_crashes');
      this.#replace(`The worker of the keyword check could not be started: ${reason}`);
      return undefined;
    }
  }

  #checkNext(): void {
    if (this.#thread === undefined || this.#inHand !== undefined) return;
    const suspect = this.#queue.shift();
    if (suspect === undefined) {
      this.#isFull = false;
      return;
    }
    const id = this.#nextId++;
    this.#inHand = { id, suspect };
    const { clock, limits } = this.#options;
    this.#timeout = clock.after(limits().keywordCheckTimeoutMs, () => this.#giveUp());
    this.#thread.postMessage({ kind: 'check', id, requestString: suspect.requestString });
  }

  #take({ id, keyword }: WorkerAnswer): void {
    const checked = this.#inHand;
    if (checked?.id !== id) return;
    this.#crashesInRow = 0;
    this.#timeout?.cancel();
    this.#inHand = undefined;
    const { statistics, onChecked } = this.#options;
    statistics.add(keyword === undefined ? 'suspects_humble' : 'suspects_confirmed');
    onChecked(checked.suspect, keyword);
    this.#checkNext();
  }

  #giveUp(): void {
    this.#options.statistics.add('keyword_worker_hangs');
    this.#replace('The worker of the keyword check did not answer in time');
  }

  #replace(what: string): void {
    const { statistics, warn, clock } = this.#options;
    if (this.#inHand !== undefined) statistics.add('suspects_lost');
    void this.#dropThread();
    const delayMs = Math.min(restartDelayMs * 2 ** this.#crashesInRow, restartDelayMaxMs);
    this.#crashesInRow += 1;
    warn(`${what}; another is started in ${delayMs} ms.`);
    this.#restart = clock.after(delayMs, () => this.#startThread());
  }

  async #dropThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#inHand = undefined;
    this.#timeout?.cancel();
    await thread?.terminate();
  }
}
