/**
 * The four settings that the console changes while the server runs (the paper, "Configuring the
 * Feature" and "Miscellaneous Tasks"): the value that PROXY.CFG gives each, and the one that the
 * operator gave it since. What the operator set stays set over restarts and reloads, also when it
 * is the same as in PROXY.CFG. Does not parse options; checks ranges only.
 */
import { tunableRanges } from '../config/virus-rows.ts';
import type { TunableName } from './change.ts';

/** One row: the range, both ends included, and the console option that sets it. */
export interface TunableRow {
  readonly min: number;
  readonly max: number;
  readonly option: string;
}

export const tunableTable: Readonly<Record<TunableName, TunableRow>> = {
  HitThreshold: { ...tunableRanges.HitThreshold, option: '-t' },
  RefreshInterval: { ...tunableRanges.RefreshInterval, option: '-r' },
  EnablePatternAutoUpdate: { ...tunableRanges.EnablePatternAutoUpdate, option: '-e' },
  MaxVirusPatterns: { ...tunableRanges.MaxVirusPatterns, option: '-m' },
};

export const tunableNames: readonly TunableName[] = [
  'HitThreshold',
  'RefreshInterval',
  'EnablePatternAutoUpdate',
  'MaxVirusPatterns',
];

/** A value for each of them; EnablePatternAutoUpdate is 0 or 1. */
export type TunableValues = Readonly<Record<TunableName, number>>;

/** A tunable whose value in force is not the one in PROXY.CFG. */
export interface TunableDifference {
  readonly name: TunableName;
  readonly configured: number;
  readonly inForce: number;
}

/** What keeps `value` from being one of `name`, as a sentence; undefined when nothing does. */
export function tunableFault(name: TunableName, value: number): string | undefined {
  const { min, max } = tunableTable[name];
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return `${name} takes an integer of ${min} to ${max}, not ${value}.`;
}

/** The configured values and what the console set over them. */
export class Tunables {
  readonly #configured: Map<TunableName, number>;
  readonly #set = new Map<TunableName, number>();

  constructor(configured: TunableValues) {
    this.#configured = new Map(tunableNames.map((name) => [name, configured[name]]));
  }

  /** The value in force. */
  get(name: TunableName): number {
    return this.#set.get(name) ?? this.configured(name);
  }

  /** The value that PROXY.CFG (or a file run at start) gives. */
  configured(name: TunableName): number {
    return this.#configured.get(name) as number;
  }

  configure(name: TunableName, value: number): void {
    this.#configured.set(name, value);
  }

  /** Sets the value in force; from here on PROXY.CFG's no longer matters. */
  set(name: TunableName, value: number): void {
    this.#set.set(name, value);
  }

  /** What the console set, each name once. */
  settings(): Iterable<readonly [TunableName, number]> {
    return this.#set.entries();
  }

  /** The tunables whose value in force is not the configured one, in the table's order. */
  differences(): TunableDifference[] {
    return tunableNames
      .map((name) => ({ name, configured: this.configured(name), inForce: this.get(name) }))
      .filter((row) => row.configured !== row.inForce);
  }
}
