/** What a run found, and how to look things up in it. Pure. */
import type { ScreeningCost } from '../screening/cost.ts';
import { type Figures, ratio } from './figures.ts';
import type { FloodFigures } from './flood.ts';
import type { PeerName } from './peers.ts';

export interface LoadResult {
  readonly scenario: string;
  readonly peer: PeerName;
  readonly logsOn: boolean;
  /** Medians of the rounds. */
  readonly figures: Figures;
}

export interface FloodResult {
  readonly peer: PeerName;
  readonly figures: FloodFigures;
}

export interface Results {
  readonly loads: readonly LoadResult[];
  readonly floods: readonly FloodResult[];
  readonly screening: readonly ScreeningCost[];
  /** Sentences about what was not measured. */
  readonly leftOut: readonly string[];
}

export function loadFigures(
  { loads }: Pick<Results, 'loads'>,
  scenario: string,
  peer: PeerName,
  logsOn: boolean,
): Figures | undefined {
  return loads.find(
    (each) => each.scenario === scenario && each.peer === peer && each.logsOn === logsOn,
  )?.figures;
}

/** How many times the CPU time of `reference` a peer takes for a request. */
export function cpuRatio(
  results: Pick<Results, 'loads'>,
  scenario: string,
  [peer, reference]: readonly [PeerName, PeerName],
  logsOn = false,
): number | undefined {
  return ratio(
    loadFigures(results, scenario, peer, logsOn)?.cpuUs,
    loadFigures(results, scenario, reference, logsOn)?.cpuUs,
  );
}
