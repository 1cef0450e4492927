/** How long a worm of constant rate lives behind the throttle, and how many hosts it reaches. Pure. */
import { runThrottledWorm, settingsOf2003 } from './throttled-worm.ts';

export interface Stop {
  readonly seconds: number;
  /** Hosts that were reached by then. */
  readonly reached: number;
}

export interface StopRow {
  readonly perSecond: number;
  /** What the paper measured. */
  readonly paper: Stop;
  /** What arithmetic says: one host let go at each whole second after the start. */
  readonly ideal: Stop;
  /** The owner's last new host was let go at the worm's start, so that the limiter is closed. */
  readonly closed: Stop;
  /** The host was idle, so that the worm's first connection passes at once. */
  readonly free: Stop;
}

/** Twycross and Williamson, 2003. */
const paperStops: readonly (readonly [perSecond: number, seconds: number, reached: number])[] = [
  [20, 5.44, 5],
  [40, 2.34, 2],
  [60, 1.37, 1],
  [80, 1.04, 1],
  [100, 0.91, 1],
];

/** What 2003 measured at a rate; undefined: nothing. */
export function stopOf2003(perSecond: number): Stop | undefined {
  const row = paperStops.find(([each]) => each === perSecond);
  return row && { seconds: row[1], reached: row[2] };
}

/** Tried by then less let go by then is the queue: the first try that makes it a hundred. */
export function idealStop(perSecond: number): Stop {
  for (let tried = 1; ; tried += 1) {
    const reached = Math.floor(tried / perSecond);
    if (tried - reached === settingsOf2003.queueSize) {
      return { seconds: tried / perSecond, reached };
    }
  }
}

/** The throttle itself; each connection goes to a host of its own. */
export function measuredStop(perSecond: number, idleMs: number): Stop {
  let address = 0;
  let reached = 0;
  const stoppedMs = runThrottledWorm({
    settings: settingsOf2003,
    perSecond,
    idleMs,
    reaction: 'stopped',
    endMs: 3_600_000,
    nextAddress: () => {
      address += 1;
      return address;
    },
    onReached: () => {
      reached += 1;
    },
  });
  if (stoppedMs === undefined) throw new Error(`${perSecond} a second were not stopped in an hour`);
  return { seconds: stoppedMs / 1_000, reached };
}

/** The table of 2003. */
export function stopRows(): StopRow[] {
  return paperStops.map(([perSecond, seconds, reached]) => ({
    perSecond,
    paper: { seconds, reached },
    ideal: idealStop(perSecond),
    closed: measuredStop(perSecond, 0),
    free: measuredStop(perSecond, 60_000),
  }));
}
