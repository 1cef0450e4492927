/**
 * The figures of a measurement and how several become one: medians, ratios. Pure; measures nothing.
 */

/** What one load showed of one server. Undefined: not to be had in this scenario. */
export interface Figures {
  readonly requestsPerSecond: number;
  /** CPU time of all the server's processes by the number of requests answered, in microseconds. */
  readonly cpuUs: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** What the load found wrong, in words. */
  readonly fault?: string | undefined;
}

/** The middle value; of an even number the mean of the two in the middle. Throws when there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new Error('no values, no median');
  return (lower + upper) / 2;
}

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

/** The median of each figure over the rounds; the fault of any round stays. */
export function medianFigures(rounds: readonly Figures[]): Figures {
  return {
    requestsPerSecond: median(rounds.map((each) => each.requestsPerSecond)),
    cpuUs: median(rounds.map((each) => each.cpuUs)),
    p50Ms: medianOfKnown(rounds.map((each) => each.p50Ms)),
    p99Ms: medianOfKnown(rounds.map((each) => each.p99Ms)),
    fault: rounds.find((each) => each.fault !== undefined)?.fault,
  };
}

/** How many times as much as; undefined when one of the two is missing. */
export function ratio(value: number | undefined, reference: number | undefined) {
  if (value === undefined || reference === undefined || reference === 0) return undefined;
  return value / reference;
}

/** The value below which `share` (0-1) of the values lie, by the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('no values, no percentile');
  return value;
}
