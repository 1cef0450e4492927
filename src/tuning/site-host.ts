/**
 * Which host a log is of. A log has no Host, so the Referers have to tell: the host that most of the
 * served requests were led from is the site's own, because every picture and style sheet of its pages
 * is. Pure.
 */

/** So many hosts are told apart; further ones are not counted. */
const hostsMax = 10_000;

export class SiteHost {
  /** The host named most often so far, with its port; undefined: none was. */
  name: string | undefined;
  readonly #counts = new Map<string, number>();
  #mostCount = 0;

  /** Takes the Referer of a request that was served. */
  note(referer: string): void {
    const start = referer.indexOf('://') + 3;
    if (start < 3) return;
    const end = referer.indexOf('/', start);
    const host = referer.slice(start, end === -1 ? undefined : end);
    const known = this.#counts.get(host) ?? 0;
    if (known === 0 && this.#counts.size === hostsMax) return;
    this.#counts.set(host, known + 1);
    if (known < this.#mostCount) return;
    this.#mostCount = known + 1;
    this.name = host;
  }
}
