/**
 * A map whose entries stand in the order of use, so that the one to forget is known: links between the
 * entries beside a Map. A Map alone keeps the order, too, but has to step over all that was deleted to find
 * its first entry; lru-cache reserves room for its maximum when it is made. Pure.
 */

interface Entry<V> {
  readonly key: string;
  readonly value: V;
  older: Entry<V> | undefined;
  newer: Entry<V> | undefined;
}

export class RecencyMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  #oldest: Entry<V> | undefined;
  #newest: Entry<V> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** The key that was set or touched before all others. */
  get oldestKey(): string | undefined {
    return this.#oldest?.key;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Puts a value at the end of the order. */
  set(key: string, value: V): void {
    this.delete(key);
    const entry: Entry<V> = { key, value, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
  }

  /** Puts an entry at the end of the order, if it is there. */
  touch(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry === this.#newest) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  /**
   * The values, the oldest first. What is given may be deleted; other changes may make it end early or
   * give a value again.
   */
  *values(): Generator<V> {
    let entry = this.#oldest;
    while (entry !== undefined) {
      const { newer } = entry;
      yield entry.value;
      // The entry itself may be deleted by whoever was given it.
      entry = entry.newer ?? (newer !== undefined && this.#has(newer) ? newer : undefined);
    }
  }

  /** The values, the newest first; nothing may change meanwhile. */
  *newestFirst(): Generator<V> {
    for (let entry = this.#newest; entry !== undefined; entry = entry.older) yield entry.value;
  }

  #has(entry: Entry<V>): boolean {
    return this.#entries.get(entry.key) === entry;
  }

  #append(entry: Entry<V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry<V>): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }
}
