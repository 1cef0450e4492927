/**
 * Which host a log is of. A log has no Host, so the Referers have to tell: the host that most of the
 * served requests were led from is the site's own, because every picture and style sheet of its pages
 * is. Pure.
 */

/** So many hosts are told apart; further ones are not counted. */
const hostsMax = 10_000;
/** After so many Referers, one of `sampledEvery` is enough. */
const countedMax = 10_000;
const sampledEvery = 16;

export class SiteHost {
  /** The host named most often so far, the first of several, without its port; undefined: none was. */
  name: string | undefined;
  readonly #counts = new Map<string, number>();
  #mostCount = 0;
  #seenCount = 0;

  /** Whether the next Referer is to be noted; to be asked once for each. */
  get isDue(): boolean {
    this.#seenCount += 1;
    return this.#seenCount <= countedMax || this.#seenCount % sampledEvery === 0;
  }

  /** Takes the Referer of a request that was served. */
  note(referer: string): void {
    const host = /^https?:\/\/([^/?#:]+)/i.exec(referer)?.[1]?.toLowerCase();
    if (host === undefined) return;
    const known = this.#counts.get(host) ?? 0;
    if (known === 0 && this.#counts.size === hostsMax) return;
    this.#counts.set(host, known + 1);
    if (known + 1 <= this.#mostCount) return;
    this.#mostCount = known + 1;
    this.name = host;
  }
}
