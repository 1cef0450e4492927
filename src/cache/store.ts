/**
 * The stored answers in memory, by key, several for a key that varies: bounded in bytes, in answers, in
 * bytes of one answer and in answers of one key. What was not used for longest goes first. The only file
 * that imports lru-cache. Knows no clock and decides nothing about freshness.
 */
import { LRUCache } from 'lru-cache';
import { owned, type StoredAnswer } from './entry.ts';
import type { HeaderReader } from './fields.ts';
import { acceleratorOfKey, urlOfKey } from './key.ts';
import { isSelectedBy } from './vary.ts';

export interface StoreBounds {
  /** All answers together, with their keys and what it takes to keep them. */
  readonly bytesMax: number;
  /** The body and head of one answer. */
  readonly answerBytesMax: number;
  readonly answersMax: number;
  /** Of one key. */
  readonly variantsMax: number;
}

export interface StoreTotals {
  readonly keys: number;
  readonly answers: number;
  readonly bytes: number;
}

/** One stored answer, as the operator sees it. */
export interface StoreListing {
  readonly key: string;
  readonly answer: StoredAnswer;
}

/** What is shown of one, without its content. */
export interface ListedAnswer {
  readonly key: string;
  readonly answer: Pick<
    StoredAnswer,
    'uses' | 'status' | 'bornMs' | 'responseMs' | 'freshUntilMs'
  > & {
    readonly body: { readonly length: number };
  };
}

/** A key's place: in lru-cache, in its map, and the key's own text; measured on Node.js 20. */
const keyOverheadBytes = 400;

/** The answers of a key, and what they cost. */
interface Resource {
  readonly answers: readonly StoredAnswer[];
  readonly costBytes: number;
}

export class CacheStore {
  #bounds: StoreBounds;
  #resources: LRUCache<string, Resource>;
  #answers = 0;
  readonly #onEvicted: (answers: number) => void;

  /** `onEvicted` is told how many answers had to go for others. */
  constructor(bounds: StoreBounds, onEvicted: (answers: number) => void) {
    this.#bounds = bounds;
    this.#onEvicted = onEvicted;
    this.#resources = this.#makeResources();
  }

  #makeResources(): LRUCache<string, Resource> {
    return new LRUCache<string, Resource>({
      maxSize: this.#bounds.bytesMax,
      sizeCalculation: (resource, key) => resource.costBytes + key.length + keyOverheadBytes,
      dispose: (resource, _key, reason) => {
        this.#answers -= resource.answers.length;
        if (reason === 'evict') this.#onEvicted(resource.answers.length);
      },
    });
  }

  /** Puts other bounds in force; what they have no room for is evicted. */
  configure(bounds: StoreBounds): void {
    const old = this.#resources;
    this.#bounds = bounds;
    this.#resources = this.#makeResources();
    this.#answers = 0;
    // From the least recently used on, so that the order stays.
    for (const [key, { answers }] of [...old.rentries()] as [string, Resource][]) {
      const fitting = answers.filter((answer) => !this.isTooLarge(answer));
      if (fitting.length < answers.length) this.#onEvicted(answers.length - fitting.length);
      this.#set(key, fitting);
    }
    this.#boundAnswers();
  }

  /** The answers of a key, the latest first, now used most recently; undefined when there is none. */
  find(key: string): readonly StoredAnswer[] | undefined {
    return this.#resources.get(key)?.answers;
  }

  /** The same without the key being used. */
  peek(key: string): readonly StoredAnswer[] | undefined {
    return this.#resources.peek(key)?.answers;
  }

  /** Whether an answer is too large to be stored, whatever else is. */
  isTooLarge({ headText, body, costBytes }: StoredAnswer): boolean {
    const { answerBytesMax, bytesMax } = this.#bounds;
    return headText.length + body.length > answerBytesMax || costBytes > bytesMax;
  }

  /**
   * Stores an answer in the place of those that `header`, its request, would have been answered with.
   * False when it is too large; the older ones are gone all the same.
   */
  put(key: string, answer: StoredAnswer, header: HeaderReader): boolean {
    const others = (this.peek(key) ?? []).filter((other) => !isSelectedBy(other, header));
    if (this.isTooLarge(answer)) {
      this.#set(key, others);
      return false;
    }
    this.#set(owned(key), [answer, ...others]);
    this.#boundAnswers();
    return this.peek(key)?.includes(answer) === true;
  }

  /** Puts `next` where `old` was, after an update; without `next`, takes `old` out. */
  replace(key: string, old: StoredAnswer, next: StoredAnswer | undefined): void {
    const answers = this.peek(key);
    if (answers?.includes(old) !== true) return;
    const others = answers.filter((answer) => answer !== old);
    const keeps = next !== undefined && !this.isTooLarge(next);
    this.#set(key, keeps ? [next, ...others] : others);
  }

  /** Takes all answers of a key out, and says how many there were. */
  delete(key: string): number {
    const count = this.peek(key)?.length ?? 0;
    if (count > 0) this.#resources.delete(key);
    return count;
  }

  /** Takes out what is stored for a URL as it stands in keys, whatever the accelerator. */
  purgeUrl(url: string): number {
    return this.#purge((candidate) => candidate === url);
  }

  /** Takes out what is stored for every URL that begins so. */
  purgePrefix(prefix: string): number {
    return this.#purge((candidate) => candidate.startsWith(prefix));
  }

  /** Takes out what is stored for all other accelerators. */
  keepAccelerators(names: ReadonlySet<string>): void {
    for (const key of [...this.#resources.keys()]) {
      if (!names.has(acceleratorOfKey(key))) this.#resources.delete(key);
    }
  }

  /** Takes everything out. */
  clear(): number {
    const count = this.#answers;
    this.#resources.clear();
    return count;
  }

  #purge(isMeant: (url: string) => boolean): number {
    let count = 0;
    for (const key of [...this.#resources.keys()]) {
      if (isMeant(urlOfKey(key))) count += this.delete(key);
    }
    return count;
  }

  /** Up to `max` answers: those used most often, or those stored last. */
  list(order: 'most-used' | 'newest', max: number): StoreListing[] {
    const all: StoreListing[] = [];
    for (const [key, resource] of this.#resources.entries() as Iterable<[string, Resource]>) {
      for (const answer of resource.answers) all.push({ key, answer });
    }
    const rank = ({ answer }: StoreListing) =>
      order === 'most-used' ? answer.uses : answer.responseMs;
    return all.sort((a, b) => rank(b) - rank(a)).slice(0, max);
  }

  get totals(): StoreTotals {
    return {
      keys: this.#resources.size,
      answers: this.#answers,
      bytes: this.#resources.calculatedSize,
    };
  }

  /** Puts the answers of a key in place, as many of them as the bounds of one key allow. */
  #set(key: string, answers: readonly StoredAnswer[]): void {
    const kept = this.#withinBounds(key, answers);
    if (kept.length < answers.length) this.#onEvicted(answers.length - kept.length);
    if (kept.length === 0) {
      this.#resources.delete(key);
      return;
    }
    this.#answers += kept.length;
    this.#resources.set(key, { answers: kept, costBytes: costOf(kept) });
  }

  /** The first, which has come now, and of the others those that were used last; in their order. */
  #withinBounds(key: string, answers: readonly StoredAnswer[]): readonly StoredAnswer[] {
    const { variantsMax, answersMax, bytesMax } = this.#bounds;
    const countMax = Math.min(variantsMax, answersMax);
    const room = bytesMax - key.length - keyOverheadBytes;
    if (answers.length <= countMax && costOf(answers) <= room) return answers;
    const [first, ...others] = answers;
    const byUse = others.sort((a, b) => b.lastUsedMs - a.lastUsedMs);
    const kept = new Set<StoredAnswer>();
    let left = room;
    for (const answer of first === undefined ? [] : [first, ...byUse]) {
      if (kept.size === countMax || answer.costBytes > left) continue;
      left -= answer.costBytes;
      kept.add(answer);
    }
    return answers.filter((answer) => kept.has(answer));
  }

  #boundAnswers(): void {
    while (this.#answers > this.#bounds.answersMax) this.#resources.pop();
  }
}

function costOf(answers: readonly StoredAnswer[]): number {
  return answers.reduce((sum, answer) => sum + answer.costBytes, 0);
}
