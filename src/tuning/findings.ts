/** What was found out about a log, for the report. */
import type { Settings } from '../config/shape.ts';
import type { LogClock } from './log-clock.ts';
import type { LogFacts } from './log-facts.ts';
import type { Recommendation } from './recommend.ts';
import type { Replay } from './replay.ts';
import type { WindowCounts } from './windows.ts';

/** A replay with the settings that it was made with. */
export interface Replayed {
  readonly replay: Replay;
  readonly threshold: number;
  readonly intervalSeconds: number;
}

export interface TuningFindings {
  readonly facts: LogFacts;
  readonly clock: LogClock;
  readonly settings: Settings;
  /** Whether Auto Update is on in the settings. */
  readonly isLearning: boolean;
  readonly present: Replayed;
  readonly counts: WindowCounts;
  /** Windows that could be learned if they came often enough. */
  readonly candidateCount: number;
  readonly keywordCount: number;
  readonly recommendation: Recommendation | undefined;
  /** The log replayed with the recommendation and no patterns; undefined when it cannot be read twice. */
  readonly recommended: Replayed | undefined;
}
