/**
 * "The last ten IP addresses of sources that sent virus requests" (the paper, "Virus Source IP
 * Address Section"). Each address stands once, with its latest time and how often it was seen since
 * it came onto the list. Not a history: an address that drops off the end is forgotten.
 */

/** A client address that sent virus requests. */
export interface VirusSource {
  readonly address: string;
  /** When its latest virus request came, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly count: number;
}

/** A list of the latest sources, at most `limit` long. */
export class VirusSources {
  readonly #limit: number;
  /** Newest first. */
  #sources: VirusSource[] = [];

  constructor(limit = 10) {
    this.#limit = limit;
  }

  /** Puts the address of a virus request in front. */
  note(address: string, nowMs: number): void {
    const newest = this.#sources[0];
    if (newest?.address === address) {
      this.#sources[0] = { address, atMs: nowMs, count: newest.count + 1 };
      return;
    }
    const known = this.#sources.find((source) => source.address === address);
    const others = this.#sources.filter((source) => source !== known);
    const latest = { address, atMs: nowMs, count: (known?.count ?? 0) + 1 };
    this.#sources = [latest, ...others].slice(0, this.#limit);
  }

  /** Adds what others have noted. */
  merge(noted: readonly VirusSource[]): void {
    for (const { address, atMs, count } of noted) {
      const known = this.#sources.find((source) => source.address === address);
      const others = this.#sources.filter((source) => source !== known);
      const latest = {
        address,
        atMs: Math.max(atMs, known?.atMs ?? 0),
        count: count + (known?.count ?? 0),
      };
      this.#sources = [...others, latest].sort((one, other) => other.atMs - one.atMs);
    }
    this.#sources = this.#sources.slice(0, this.#limit);
  }

  /** The sources, which are forgotten. */
  take(): readonly VirusSource[] {
    const sources = this.#sources;
    this.#sources = [];
    return sources;
  }

  /** The sources, newest first. */
  list(): VirusSource[] {
    return [...this.#sources];
  }
}
