/**
 * The delay queue: connection requests that wait for their host's turn, grouped by host, so that all of
 * a host go together ("the oldest connection request is removed from the delay queue (and all other
 * connection requests to that same host)"). Every step takes the same time however long it is. Pure.
 */

/** Requests in the order in which they came. `Request` is whatever identifies one. */
export class DelayQueue<Request> {
  readonly #byHost = new Map<string, Set<Request>>();
  /** Each request's host, oldest request first. */
  readonly #hosts = new Map<Request, string>();

  /** How many requests wait. */
  get size(): number {
    return this.#hosts.size;
  }

  /** How many hosts they are for. */
  get hostCount(): number {
    return this.#byHost.size;
  }

  /** Puts a request behind the others; one that waits already stays where it is. */
  add(host: string, request: Request): void {
    if (this.#hosts.has(request)) return;
    this.#hosts.set(request, host);
    const waiting = this.#byHost.get(host);
    if (waiting === undefined) this.#byHost.set(host, new Set([request]));
    else waiting.add(request);
  }

  /** Takes out one request, whose client has gone; false when it does not wait. */
  remove(request: Request): boolean {
    const host = this.#hosts.get(request);
    if (host === undefined) return false;
    this.#hosts.delete(request);
    const waiting = this.#byHost.get(host);
    waiting?.delete(request);
    if (waiting?.size === 0) this.#byHost.delete(host);
    return true;
  }

  /** Takes out the oldest request and all others to its host; undefined when none waits. */
  takeOldest(): { readonly host: string; readonly requests: readonly Request[] } | undefined {
    const [oldest] = this.#hosts.values();
    if (oldest === undefined) return undefined;
    const requests = [...(this.#byHost.get(oldest) ?? [])];
    this.#byHost.delete(oldest);
    for (const request of requests) this.#hosts.delete(request);
    return { host: oldest, requests };
  }
}
