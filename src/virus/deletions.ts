/**
 * What the operator deleted: the journal's memory that a shipped pattern which was deleted stays
 * deleted, whatever PROXY.CFG, the PatternFiles and VIRPAT.NCF say at the next start.
 * Holds identities only, as text keys, for patterns and for keywords alike; the bound `max` keeps
 * it small, and what no file can bring back is forgotten first.
 */

/** Builds keys for patterns; see `patternOfKey` for the way back. */
export function patternKey(pattern: Uint8Array, origLength: number): string {
  const bytes = Buffer.from(pattern.buffer, pattern.byteOffset, pattern.length);
  return `${bytes.toString('latin1')}${origLength}`;
}

/** The pattern and origLength that `patternKey` put into `key`. */
export function patternOfKey(
  key: string,
  patternSize: number,
): { readonly pattern: Uint8Array; readonly origLength: number } {
  const pattern = new Uint8Array(patternSize);
  for (let at = 0; at < patternSize; at++) pattern[at] = key.charCodeAt(at);
  return { pattern, origLength: Number(key.slice(patternSize)) };
}

function fingerprint(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0 || 1;
}

/**
 * A set of keys of which only 32-bit fingerprints are kept, 8 to 16 bytes a key, because a million
 * patterns must not be held twice. `has` may wrongly say yes, never wrongly no.
 */
export class FingerprintSet {
  #slots = new Uint32Array(64);
  #size = 0;

  add(key: string): void {
    this.#insert(fingerprint(key));
  }

  has(key: string): boolean {
    return this.#slots[this.#find(fingerprint(key))] !== 0;
  }

  /** Adds every key of `other`. */
  addAll(other: FingerprintSet): void {
    for (const hash of other.#slots) if (hash !== 0) this.#insert(hash);
  }

  #insert(hash: number): void {
    const at = this.#find(hash);
    if (this.#slots[at] === hash) return;
    this.#slots[at] = hash;
    this.#size += 1;
    if (this.#size * 2 <= this.#slots.length) return;
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (const moved of old) if (moved !== 0) this.#slots[this.#find(moved)] = moved;
  }

  /** The slot that holds `hash`, or the free one where it belongs. */
  #find(hash: number): number {
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    while (this.#slots[at] !== 0 && this.#slots[at] !== hash) at = (at + 1) & mask;
    return at;
  }
}

/** The deleted identities, oldest first, and which identities the files are known to bring. */
export class Deletions {
  readonly #max: number;
  readonly #deleted = new Set<string>();
  readonly #inFiles = new FingerprintSet();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#deleted.size;
  }

  /** True when `key` is deleted and not added again since. */
  has(key: string): boolean {
    return this.#deleted.has(key);
  }

  /** The deleted identities, oldest first. */
  keys(): IterableIterator<string> {
    return this.#deleted.values();
  }

  /** Notes that a file run at start brings `key`, or will because it was dumped. */
  noteInFiles(key: string): void {
    this.#inFiles.add(key);
  }

  /** Notes everything that `other` has noted with `noteInFiles`. */
  noteAllInFiles(other: Deletions): void {
    this.#inFiles.addAll(other.#inFiles);
  }

  /** False when the bound is reached by deletions that all matter: then `key` cannot be deleted. */
  hasRoomFor(key: string): boolean {
    if (this.#deleted.size >= this.#max) this.forgetNeedless();
    return this.#deleted.size < this.#max || !this.#inFiles.has(key);
  }

  /** Notes that `key` was deleted; above the bound only when a file may bring it back. */
  noteDeleted(key: string): void {
    if (this.#deleted.size < this.#max || this.#inFiles.has(key)) this.#deleted.add(key);
  }

  /** Notes that `key` was added, again or for the first time. */
  noteAdded(key: string): void {
    this.#deleted.delete(key);
  }

  /** When the bound is reached, forgets the deletions of what no file brings. */
  forgetNeedless(): void {
    if (this.#deleted.size < this.#max) return;
    for (const key of this.#deleted) if (!this.#inFiles.has(key)) this.#deleted.delete(key);
  }

  /** Forgets all deletions: everything was cleared. */
  clear(): void {
    this.#deleted.clear();
  }
}
