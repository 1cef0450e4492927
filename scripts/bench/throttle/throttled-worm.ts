/**
 * A worm of constant rate on one host whose connections all go through a `Throttle`, on virtual time.
 * The host's owner has filled the working set before. Pure.
 */
import { Throttle, type ThrottleSettings } from '../../../src/throttle/throttle.ts';

/** The settings of 2003: the worm is stopped when a hundred connections wait. */
export const settingsOf2003: ThrottleSettings = {
  workingSetSize: 5,
  delayMs: 1_000,
  queueSize: 100,
  highWaterMark: 100,
  // Where virus-like activity ends; a worm that was stopped never comes to it.
  lowWaterMark: 50,
};

/**
 * What virus-like activity leads to. `stopped`: the worm ends, as in 2003, and what waits for it never
 * goes. `blocked`, `delayed`: OnVirusLikeActivity=block and =log, and the worm goes on trying.
 */
export type Reaction = 'stopped' | 'blocked' | 'delayed';

export interface WormOptions {
  readonly settings: ThrottleSettings;
  /** The worm's n-th connection is tried n / perSecond seconds after its start. */
  readonly perSecond: number;
  /** How long before the worm's start the owner's last new host was let go. */
  readonly idleMs: number;
  readonly reaction: Reaction;
  /** The run ends then, counted from the worm's start. */
  readonly endMs: number;
  /** The next address to connect to. */
  readonly nextAddress: () => number;
  /** A connection is on its way; the time counts from the worm's start. */
  readonly onReached: (address: number, atMs: number) => void;
}

interface Connection {
  readonly address: number;
}

/** `stopped` or `delayed`. When the worm was stopped, counted from its start; undefined: it never was. */
export function runThrottledWorm(options: WormOptions): number | undefined {
  const { settings, perSecond, idleMs, reaction, endMs, nextAddress, onReached } = options;
  let isDetected = false;
  const throttle = new Throttle<Connection>({
    settings,
    onEvent: (event) => {
      if (event === 'detected') isDetected = true;
    },
  });
  for (let host = 0; host < settings.workingSetSize; host += 1) {
    const beforeMs = (settings.workingSetSize - 1 - host) * settings.delayMs + idleMs;
    throttle.admit(`owner's ${host}`, { address: -1 }, -beforeMs);
  }
  const releaseUntil = (untilMs: number) => {
    for (;;) {
      const releaseMs = throttle.nextReleaseMs;
      if (releaseMs === undefined || releaseMs > untilMs) return;
      for (const { address } of throttle.release(releaseMs)) onReached(address, releaseMs);
    }
  };
  for (let tried = 1; ; tried += 1) {
    const nowMs = (tried * 1_000) / perSecond;
    releaseUntil(Math.min(nowMs, endMs));
    if (nowMs > endMs) return undefined;
    const address = nextAddress();
    const admission = throttle.admit(String(address), { address }, nowMs);
    if (admission === 'passed') onReached(address, nowMs);
    if (isDetected && reaction === 'stopped') return nowMs;
  }
}
