/**
 * A cache without sockets: a client's request, the decisions of src/cache one after the other, and an origin
 * that is a function. What the real one does with connections is done here at once.
 */
import assert from 'node:assert/strict';
import { answerFrom } from '../../src/cache/answer.ts';
import { replacedByValidation } from '../../src/cache/conditional.ts';
import {
  ageSeconds,
  madeStale,
  makeStoredAnswer,
  type StoredAnswer,
} from '../../src/cache/entry.ts';
import { type HeaderLine, readerOf } from '../../src/cache/fields.ts';
import { invalidatedKeys } from '../../src/cache/invalidation.ts';
import { keyPrefix } from '../../src/cache/key.ts';
import { isOriginFailure, type Lookup, lookUp } from '../../src/cache/lookup.ts';
import { type Exchange, judgeStoring, type PolicyRules } from '../../src/cache/policy.ts';
import { CacheStore } from '../../src/cache/store.ts';
import { answersMeant, effectOfHead, type Update, updated } from '../../src/cache/update.ts';

/** The rules of an untouched PROXY.CFG. */
export const plainRules: PolicyRules = {
  defaultTtlMs: 0,
  heuristicFraction: 0.1,
  heuristicMaxMs: 86_400_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  ignoresClientNoCache: false,
};

/** Header lines from `Name: value` texts. */
export function headerLines(...texts: string[]): HeaderLine[] {
  return texts.map((text) => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });
}

/** The time at which rigs begin: a whole second. */
export const startMs = Date.UTC(2026, 10, 26, 2, 0, 0);

/** A date so many seconds from the start, as a header has it. */
export function dateAt(seconds: number): string {
  return new Date(startMs + seconds * 1000).toUTCString();
}

/** A stored answer that stays fresh for a minute. */
export function madeAnswer({
  lines = [] as readonly HeaderLine[],
  requestLines = [] as readonly HeaderLine[],
  body = 'body',
  responseMs = startMs,
} = {}): StoredAnswer {
  const exchange = {
    ...{ method: 'GET', header: readerOf(requestLines), status: 200 },
    ...{ requestMs: responseMs, responseMs },
    lines: [['Cache-Control', 'max-age=60'] as const, ...lines],
  };
  const storing = judgeStoring(exchange, plainRules);
  assert.ok(storing.ok);
  const { freshness } = storing;
  const pieces = [Buffer.from(body, 'latin1')];
  const made = makeStoredAnswer({ exchange, freshness, reason: 'OK', body: pieces });
  assert.ok(made !== undefined);
  return made;
}

export interface RigRequest {
  readonly method?: string;
  readonly target?: string;
  readonly lines?: readonly HeaderLine[];
}

export interface OriginAnswer {
  readonly status?: number;
  readonly lines?: readonly HeaderLine[];
  readonly body?: string;
}

/** What an origin is asked, and how it answers; undefined: it closes the connection. */
export type RigOrigin = (asked: {
  readonly method: string;
  header(name: string): string | undefined;
}) => OriginAnswer | undefined;

export interface RigAnswer {
  readonly status: number;
  readonly body: string;
  header(name: string): string | undefined;
  /** What the cache decided, in a word, and how often the origin was asked for this. */
  readonly kind: Lookup['kind'];
  readonly asked: number;
}

export class CacheRig {
  nowMs = startMs;
  readonly store: CacheStore;
  readonly rules: PolicyRules;
  readonly prefix = keyPrefix('demo', 'http', 'www.example.com');
  #asked = 0;

  constructor(rules: Partial<PolicyRules> = {}) {
    this.rules = { ...plainRules, ...rules };
    const bounds = { bytesMax: 1e7, answerBytesMax: 1e6, answersMax: 1000, variantsMax: 8 };
    this.store = new CacheStore(bounds, () => {});
  }

  wait(seconds: number): void {
    this.nowMs += seconds * 1000;
  }

  fetch(request: RigRequest, origin: RigOrigin): RigAnswer {
    const { method = 'GET', target = '/', lines = [] } = request;
    this.#asked = 0;
    const key = this.prefix + target;
    const header = readerOf(lines);
    const found = lookUp({ method, header }, this.store.find(key), this.rules, this.nowMs);
    const asking = { method, target, key, lines, origin };
    const answer = this.#carryOut(found, asking);
    return { ...answer, kind: found.kind, asked: this.#asked };
  }

  #carryOut(found: Lookup, asking: Asking): Plain {
    if (found.kind === 'only-if-cached') return plain(504, [], '');
    if (found.kind === 'hit') {
      const served = this.#fromStore(found.answer, asking);
      if (found.refresh !== undefined) this.#revalidate(found.answer, found.refresh.lines, asking);
      return served;
    }
    if (found.kind !== 'revalidate') return this.#relay(asking);
    const relayed = this.#revalidate(found.answer, found.refresh.lines, asking);
    const isFailure = relayed.status === 0 || isOriginFailure(relayed.status);
    return isFailure && this.nowMs < found.onErrorUntilMs
      ? this.#fromStore(found.answer, asking)
      : relayed;
  }

  #fromStore(answer: StoredAnswer, { method, lines }: Asking): Plain {
    const client = answerFrom(answer, { method, header: readerOf(lines) }, this.nowMs);
    const body = answer.body.subarray(client.bodyStart, client.bodyEnd).toString('latin1');
    const age = ['Age', String(ageSeconds(answer, this.nowMs))] as const;
    return plain(client.status, [...client.lines, age], body);
  }

  #revalidate(answer: StoredAnswer, validators: readonly HeaderLine[], asking: Asking): Plain {
    if (validators.length === 0) return this.#relay(asking);
    const kept = asking.lines.filter(([name]) => !replacedByValidation.has(name.toLowerCase()));
    const exchange = this.#ask({ ...asking, lines: [...kept, ...validators] });
    if (exchange?.status !== 304) return this.#finish({ ...asking, lines: kept }, exchange);
    const meant = answersMeant(
      this.store.peek(asking.key) ?? [],
      answer,
      exchange.lines,
      this.nowMs,
    );
    let served: Plain | undefined;
    for (const old of meant) {
      const update = updated(old, exchange, this.rules);
      this.#apply(asking.key, old, update);
      if (old === answer) served = this.#fromStore(update.answer, asking);
    }
    return served ?? this.#relay({ ...asking, lines: kept });
  }

  #relay(asking: Asking): Plain {
    return this.#finish(asking, this.#ask(asking));
  }

  #ask({ method, lines, origin }: Asking): Answered | undefined {
    this.#asked += 1;
    const header = readerOf(lines);
    const answer = origin({ method, header });
    if (answer === undefined) return undefined;
    return {
      ...{ method, header, status: answer.status ?? 200, lines: answer.lines ?? [] },
      ...{ requestMs: this.nowMs, responseMs: this.nowMs, body: answer.body ?? '' },
    };
  }

  #finish({ method, target, key }: Asking, exchange: Answered | undefined): Plain {
    if (exchange === undefined) return plain(0, [], '');
    const { status, lines, header } = exchange;
    const carriedOut = { method, keyPrefix: this.prefix, target, status, lines };
    for (const invalid of invalidatedKeys(carriedOut)) this.store.delete(invalid);
    if (method === 'HEAD') this.#noteHead(key, exchange);
    const storing = judgeStoring(exchange, this.rules);
    if (storing.ok) {
      const body = [Buffer.from(exchange.body, 'latin1')];
      const { freshness } = storing;
      const made = makeStoredAnswer({ exchange, freshness, reason: 'OK', body });
      if (made !== undefined) this.store.put(key, made, header);
    }
    return plain(status, lines, exchange.body);
  }

  #noteHead(key: string, exchange: Exchange): void {
    for (const old of this.store.peek(key) ?? []) {
      const effect = effectOfHead(old, exchange.status, exchange.lines, this.nowMs);
      if (effect === 'none') continue;
      if (effect === 'stale') this.store.replace(key, old, madeStale(old, this.nowMs));
      else this.#apply(key, old, updated(old, exchange, this.rules));
    }
  }

  #apply(key: string, old: StoredAnswer, { outcome, answer }: Update): void {
    if (outcome === 'kept') return;
    this.store.replace(key, old, outcome === 'replaces' ? answer : undefined);
  }
}

interface Asking {
  readonly method: string;
  readonly target: string;
  readonly key: string;
  readonly lines: readonly HeaderLine[];
  readonly origin: RigOrigin;
}

type Answered = Exchange & { readonly body: string };

interface Plain {
  readonly status: number;
  readonly body: string;
  header(name: string): string | undefined;
}

function plain(status: number, lines: readonly HeaderLine[], body: string): Plain {
  return { status, body, header: readerOf(lines) };
}
