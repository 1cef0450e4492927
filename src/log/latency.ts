/**
 * How long requests took, as histograms: fixed bounds, so that noting one is a few comparisons and the memory
 * never grows. Knows no clock.
 */

/** The upper bounds of the buckets, in milliseconds; above the last there is one more. */
export const latencyBoundsMs = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
] as const;

/** The two ways through the server. */
export type LatencyLane = 'fast' | 'front';

export const latencyLanes: readonly LatencyLane[] = ['fast', 'front'];

export class Histogram {
  /** Of each bucket by itself, the one above all bounds last. */
  readonly counts = new Float64Array(latencyBoundsMs.length + 1);
  sumMs = 0;

  note(ms: number): void {
    // A clock that was set back.
    const took = ms > 0 ? ms : 0;
    let bucket = 0;
    while (bucket < latencyBoundsMs.length && took > (latencyBoundsMs[bucket] as number))
      bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sumMs += took;
  }
}

/** One for each lane, from a request's first line to its last byte. */
export class Latencies {
  readonly fast = new Histogram();
  readonly front = new Histogram();
}
