/**
 * What is made of the origin's answer to one request: stored, taken for a confirmation of what is stored,
 * replaced by it when the origin fails, or passed on (RFC 9111 §§3, 4.3).
 */
import { replacedByValidation } from '../cache/conditional.ts';
import { makeStoredAnswer, type StoredAnswer, selectedBy } from '../cache/entry.ts';
import { omittedLines } from '../cache/fields.ts';
import { isOriginFailure, type Lookup } from '../cache/lookup.ts';
import {
  type Exchange,
  type Freshness,
  isOfRequest,
  judgeStoring,
  type PolicyRules,
  type StoreRefusal,
} from '../cache/policy.ts';
import type { CacheStore } from '../cache/store.ts';
import { answersMeant, updated } from '../cache/update.ts';
import { isSelectedBy, type Selected } from '../cache/vary.ts';
import type { Clock } from '../clock.ts';
import type { Statistics } from '../statistics.ts';
import type { AnswerHead } from '../upstream/answer-content.ts';
import type { AnswerScanner } from '../upstream/answer-head.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import type { Relay } from '../upstream/relay.ts';
import type { ArrivingAnswer } from './arriving-answer.ts';
import { Fetch, type FetchOwner, type Judgement } from './fetch.ts';
import { obviousRefusal } from './obvious-refusal.ts';
import type { DeliveryRequest, Fetched, HeadEdit, Recipient } from './recipient.ts';

export interface OriginFetchParts {
  readonly store: CacheStore;
  readonly rules: () => PolicyRules;
  readonly answerBytesMax: () => number;
  readonly clock: Clock;
  readonly statistics: Statistics;
  /** The recipient's request is looked up anew. */
  readonly again: (recipient: Recipient) => void;
  readonly onClosed: (fetch: OriginFetch) => void;
  readonly onDone: (fetch: OriginFetch) => void;
  /** The answer is for one client alone, or for all, and the next one will be, too. */
  readonly onPassed: (isPassed: boolean) => void;
}

/** An answer that is to be stored when it is whole. */
interface Keeping {
  readonly exchange: Exchange;
  readonly freshness: Freshness;
  readonly reason: string;
  readonly selected: Selected;
}

/** Why the origin is asked. */
export type Wanted =
  | Exclude<Lookup, { readonly kind: 'miss' }>
  /** `isPassed`: its conditions are left to the origin. */
  | (Lookup & { readonly kind: 'miss' } & { readonly isPassed: boolean });

const nothing: ReadonlySet<string> = new Set();

/** Request fields that the origin sees as we write them, not as the client did. */
const replacedFields: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'connection',
]);

/** Fields that ask for less than the whole answer. */
const conditions: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since']);

export class OriginFetch implements FetchOwner {
  readonly fetch: Fetch;
  /** What was asked for has changed meanwhile: the answer is not stored. */
  isOutdated = false;
  readonly #request: DeliveryRequest;
  readonly #parts: OriginFetchParts;
  /** The stored answer that the origin is asked about. */
  readonly #asked: StoredAnswer | undefined;
  readonly #onErrorUntilMs: number;
  readonly #sentMs: number;
  #keeping: Keeping | undefined;
  /** The stored answer as the origin has confirmed it. */
  #confirmed: StoredAnswer | undefined;

  constructor(
    request: DeliveryRequest,
    found: Wanted,
    parts: OriginFetchParts,
    idleRelay: Relay | undefined,
  ) {
    this.#request = request;
    this.#parts = parts;
    const refresh = 'refresh' in found ? found.refresh : undefined;
    this.#asked = 'answer' in found && refresh !== undefined ? found.answer : undefined;
    this.#onErrorUntilMs = found.kind === 'revalidate' ? found.onErrorUntilMs : 0;
    this.#sentMs = parts.clock.nowMs();
    const edit: HeadEdit =
      refresh === undefined
        ? {
            without:
              request.isPlain || (found.kind === 'miss' && found.isPassed) ? nothing : conditions,
            isGet: true,
            lines: [],
          }
        : { isGet: true, without: replacedByValidation, lines: refresh.lines };
    const relayed = {
      origins: request.origins,
      head: request.originHead(edit),
      isHead: false,
      isRepeatable: true,
      bodyBytes: 0,
      limits: request.limits,
      atMs: this.#sentMs,
    };
    this.fetch = new Fetch(relayed, this, idleRelay);
  }

  get key(): string {
    return this.#request.key;
  }

  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  /** Whether one who comes now is answered along with the others. */
  mayJoin(recipient: Recipient): boolean {
    return this.fetch.mayJoin && this.isFor(recipient);
  }

  judgeQuickly(head: AnswerScanner, bytes: Buffer): Fetched | undefined {
    if (this.#asked !== undefined) return undefined;
    const detail = obviousRefusal(head, bytes, this.#parts.rules());
    if (detail === undefined) return undefined;
    this.#notePassed(head.status, detail);
    return this.#fetched({ originStatus: head.status, detail });
  }

  judge(head: AnswerHead): Judgement {
    const { clock, rules, store, answerBytesMax, statistics } = this.#parts;
    const nowMs = clock.nowMs();
    const exchange: Exchange = {
      method: 'GET',
      header: this.#request.header,
      status: head.status,
      lines: head.received,
      requestMs: this.#sentMs,
      responseMs: nowMs,
    };
    const asked = this.#asked;
    if (asked !== undefined && head.status === 304) return this.#confirm(asked, exchange);
    if (asked !== undefined && isOriginFailure(head.status) && nowMs < this.#onErrorUntilMs) {
      const fetched = this.#fetched({ originStatus: head.status, detail: 'stale-if-error' });
      return { kind: 'settle', deliver: (recipient) => this.#giveStale(recipient, asked, fetched) };
    }
    const storing = this.isOutdated ? undefined : judgeStoring(exchange, rules());
    if (storing?.ok !== true) {
      const refusal = storing?.refusal;
      const detail = refusal ?? 'outdated';
      if (refusal !== undefined) this.#notePassed(head.status, refusal);
      // The origin has something else now, and it is not for others.
      const isAnswers = refusal !== undefined && !isOfRequest(refusal);
      if (asked !== undefined && head.status < 500 && isAnswers) {
        store.replace(this.key, asked, undefined);
      }
      return { kind: 'pass', fetched: this.#fetched({ originStatus: head.status, detail }) };
    }
    const { freshness } = storing;
    const isShared = isForAll(freshness);
    this.#parts.onPassed(!isShared);
    const bytesMax = answerBytesMax();
    if (head.contentLength > bytesMax) {
      statistics.add('cache_too_large');
      return {
        kind: 'pass',
        fetched: this.#fetched({ originStatus: head.status, detail: 'too-large' }),
      };
    }
    const { header } = this.#request;
    const selected = selectedBy(head.received, header);
    if (selected.varyFields.some((name) => replacedFields.has(name))) {
      return {
        kind: 'pass',
        fetched: this.#fetched({ originStatus: head.status, detail: 'vary' }),
      };
    }
    const { reason } = head;
    this.#keeping = { exchange, freshness, reason, selected };
    // What nobody may have without asking is for who asked (RFC 9111 §4).
    return { kind: 'keep', bytesMax, isShared };
  }

  isFor(recipient: Recipient): boolean {
    if (this.fetch.isOf(recipient)) return true;
    const selected = this.#confirmed ?? this.#keeping?.selected ?? this.#asked;
    return selected === undefined || isSelectedBy(selected, recipient.request.header);
  }

  again(recipient: Recipient): void {
    // Or he would wait behind one after the other.
    recipient.isLoner = true;
    this.#parts.again(recipient);
  }

  get arriving(): Fetched {
    return this.#fetched({ originStatus: this.#keeping?.exchange.status });
  }

  excuse(code: OriginFaultCode): ((recipient: Recipient) => void) | undefined {
    const asked = this.#asked;
    if (asked === undefined || this.#parts.clock.nowMs() >= this.#onErrorUntilMs) return undefined;
    const fetched = this.#fetched({ detail: code });
    return (recipient) => this.#giveStale(recipient, asked, fetched);
  }

  #giveStale(recipient: Recipient, asked: StoredAnswer, fetched: Fetched): void {
    this.#parts.statistics.add('cache_stale_hits');
    recipient.onStored(asked, fetched);
  }

  /** The next answer will be for one client alone as well, as far as this one tells. */
  #notePassed(status: number, refusal: StoreRefusal): void {
    const isTelling = status < 500 && status !== 304;
    if (isTelling && (refusal === 'cookie' || !isOfRequest(refusal))) this.#parts.onPassed(true);
  }

  onWhole(arrived: ArrivingAnswer): (recipient: Recipient) => void {
    const { store, statistics } = this.#parts;
    const keeping = this.#keeping;
    const answer = keeping && makeStoredAnswer({ ...keeping, body: [arrived.content] });
    if (keeping === undefined || answer === undefined) return (recipient) => recipient.onAlone();
    const isStored = !this.isOutdated && store.put(this.key, answer, this.#request.header);
    if (isStored) statistics.add('cache_stored');
    else if (!this.isOutdated) statistics.add('cache_too_large');
    const { exchange, freshness } = keeping;
    const omitted = omittedLines(exchange.lines, freshness.omittedFields);
    const fetched = this.#fetched({ originStatus: answer.status, isStored, lines: omitted });
    return (recipient) => recipient.onStored(answer, fetched);
  }

  onTooLarge(): void {
    this.#parts.statistics.add('cache_too_large');
  }

  onRetry(hasMoved: boolean): void {
    this.#parts.statistics.add('requests_retried');
    if (hasMoved) this.#parts.statistics.add('requests_moved');
  }

  onClosed(): void {
    this.#parts.onClosed(this);
  }

  onDone(): void {
    this.#parts.onDone(this);
  }

  /** The origin has confirmed what is stored. */
  #confirm(asked: StoredAnswer, exchange: Exchange): Judgement {
    const { store, rules } = this.#parts;
    const { lines, responseMs } = exchange;
    const meant = answersMeant(store.peek(this.key) ?? [asked], asked, lines, responseMs);
    let confirmed: StoredAnswer | undefined;
    let isForOne = false;
    let fetched = this.#fetched({ originStatus: 304 });
    for (const each of meant) {
      const { answer, outcome, clientLines } = updated(each, exchange, rules());
      const isStored = outcome === 'replaces' && !this.isOutdated;
      if (isStored) store.replace(this.key, each, answer);
      else if (outcome !== 'kept' || this.isOutdated) store.replace(this.key, each, undefined);
      if (confirmed !== undefined && each !== asked) continue;
      confirmed = answer;
      isForOne = outcome === 'kept';
      fetched = this.#fetched({ originStatus: 304, isStored, lines: clientLines });
    }
    const answer = confirmed;
    if (answer === undefined) {
      // It was about something that is not stored any more: the whole is asked for.
      store.replace(this.key, asked, undefined);
      return { kind: 'settle', deliver: (recipient) => this.again(recipient) };
    }
    this.#confirmed = answer;
    if (!isForOne) this.#parts.onPassed(answer.freshUntilMs <= responseMs);
    const others = { ...fetched, lines: [] };
    return {
      kind: 'settle',
      deliver: (recipient) => {
        if (this.fetch.isOf(recipient)) recipient.onStored(answer, fetched);
        else if (answer.freshUntilMs > responseMs && !isForOne) recipient.onStored(answer, others);
        else this.again(recipient);
      },
    };
  }

  #fetched(changed: Partial<Fetched>): Fetched {
    return { originStatus: undefined, isStored: false, detail: undefined, lines: [], ...changed };
  }
}

/**
 * Whether an answer may be given to others than the one whom it answers: not if each of them would have to
 * ask the origin about it (RFC 9111 §4), nor if it holds fields that are for the first alone (§5.2.2.7).
 */
function isForAll(freshness: Freshness): boolean {
  const { initialAgeMs, lifetimeMs, staleWhileRevalidateMs, omittedFields } = freshness;
  return omittedFields.length === 0 && initialAgeMs < lifetimeMs + staleWhileRevalidateMs;
}
