/**
 * The throttle with other settings and other reactions to virus-like activity than in 2003: how many
 * connections one worm makes, and how far it comes when every host is throttled. Pure.
 */
import type { ThrottleSettings } from '../../../src/throttle/throttle.ts';
import { runBlockedWorm } from './blocked-worm.ts';
import { paperMinutes, perSecond, runExperiment } from './curves.ts';
import { type Reaction, runThrottledWorm } from './throttled-worm.ts';

export interface Variant {
  readonly title: string;
  readonly settings: ThrottleSettings;
  readonly reaction: Reaction;
}

export interface VariantResult {
  readonly title: string;
  /** Hosts that one worm reaches in the paper's 20 minutes. */
  readonly reached: number;
  /** Infected after 20 minutes of all hosts, each throttled; the mean, as the median hides what is rare. */
  readonly infected: number;
}

/** Each connection goes to a host of its own. */
export function reachedByOne({ settings, reaction }: Omit<Variant, 'title'>): number {
  let address = 0;
  let reached = 0;
  const options = {
    settings,
    perSecond,
    idleMs: 60_000,
    endMs: paperMinutes * 60_000,
    nextAddress: () => {
      address += 1;
      return address;
    },
    onReached: () => {
      reached += 1;
    },
  };
  if (reaction === 'blocked') runBlockedWorm(options);
  else runThrottledWorm({ ...options, reaction });
  return reached;
}

function meanInfected(runs: readonly (readonly number[])[]): number {
  return runs.reduce((sum, times) => sum + times.length, 0) / runs.length;
}

/** The variants after the worm that nothing holds. */
export function measureVariants(
  variants: readonly Variant[],
  runs: { readonly hostCount: number; readonly runCount: number; readonly seed: number },
): VariantResult[] {
  const experiment = { ...runs, minutes: paperMinutes };
  const unthrottled = {
    title: 'no throttle',
    reached: perSecond * paperMinutes * 60,
    infected: meanInfected(runExperiment({ ...experiment, throttledShare: 0 })),
  };
  const others = variants.map(({ title, settings, reaction }) => ({
    title,
    reached: reachedByOne({ settings, reaction }),
    infected: meanInfected(runExperiment({ ...experiment, throttledShare: 1, settings, reaction })),
  }));
  return [unthrottled, ...others];
}
