/**
 * The hosts that connections go to without delay (the paper, "host_working_set_size"): "when a new
 * connection is made, the oldest member of the working set is replaced with the new host". The oldest is
 * the one that became a member first, however often it was contacted since. Pure.
 */

/** A set of at most `size` hosts. */
export class WorkingSet {
  #size: number;
  /** In the order in which they became members. */
  readonly #hosts = new Set<string>();

  constructor(size: number) {
    this.#size = size;
  }

  has(host: string): boolean {
    return this.#hosts.has(host);
  }

  /** Makes a host a member; the oldest one leaves when there is no room. */
  add(host: string): void {
    if (this.#hosts.has(host)) return;
    this.#hosts.add(host);
    this.#shrink();
  }

  /** Changes the size; the oldest leave when it is smaller. */
  resize(size: number): void {
    this.#size = size;
    this.#shrink();
  }

  /** The members, oldest first. */
  hosts(): string[] {
    return [...this.#hosts];
  }

  #shrink(): void {
    for (const oldest of this.#hosts) {
      if (this.#hosts.size <= this.#size) return;
      this.#hosts.delete(oldest);
    }
  }
}
