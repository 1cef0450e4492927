/**
 * The request in hand on a connection of the fast path: what the verdict and the log need to know of
 * it, made into strings only when they ask. One object a connection, used again for each request.
 */
import type { AddressList } from '../config/address-list.ts';
import type { RequestTrace } from '../log/tracer.ts';
import type { Arrival } from './arrival.ts';
import { askedHost } from './client-address.ts';
import type { LoggedRequest } from './exchange.ts';
import { headerOf } from './head-text.ts';
import type { HeadScanner } from './request-head.ts';
import { nextRequestId } from './request-id.ts';
import type { Judged, PatternMatch } from './verdict.ts';

export class FastRequest implements Judged, LoggedRequest {
  atMs = 0;
  client = '';
  peerTrusted = false;
  proxies: AddressList | undefined;
  match: PatternMatch | undefined;
  holdsKeyword = false;
  error: string | undefined;
  status: number | undefined;
  bytes = 0;
  /** Undefined: its headers were not read, or nothing is traced. */
  trace: RequestTrace | undefined;
  readonly isSound = true;
  readonly arrival: Arrival;
  mayNormalize = true;
  /** The head, latin1, or only its request line. */
  text = '';
  #id = '';
  #methodLength = 0;
  #targetLength = 0;
  #lineLength = 0;
  #acceptStart = 0;
  #acceptEnd = 0;

  constructor(arrival: Arrival) {
    this.arrival = arrival;
  }

  /** Begins a request whose line `head` has read; `text` begins with that line. */
  begin(head: HeadScanner, text: string, atMs: number): void {
    this.atMs = atMs;
    this.text = text;
    this.match = undefined;
    this.holdsKeyword = false;
    this.error = undefined;
    this.status = undefined;
    this.bytes = 0;
    this.trace = undefined;
    this.mayNormalize = head.mayNormalize || head.hasManyBlanks;
    this.#id = '';
    this.#methodLength = head.methodEnd;
    this.#targetLength = head.targetEnd - head.targetStart;
    this.#lineLength = head.lineEnd;
    this.#acceptStart = 0;
    this.#acceptEnd = 0;
  }

  /** Notes where the whole head says which kind of answer the client would like. */
  noteAccept(head: HeadScanner): void {
    if (head.acceptIndex < 0) return;
    this.#acceptStart = head.valueStarts[head.acceptIndex] as number;
    this.#acceptEnd = head.valueEnds[head.acceptIndex] as number;
  }

  /** Given out when somebody asks for it: most requests never need one. */
  get id(): string {
    if (this.#id === '') this.#id = nextRequestId();
    return this.#id;
  }

  get isHead(): boolean {
    return this.#methodLength === 4 && this.text.startsWith('HEAD');
  }

  get method(): string {
    return this.text.slice(0, this.#methodLength);
  }

  get target(): string {
    const start = this.#methodLength + 1;
    return this.text.slice(start, start + this.#targetLength);
  }

  get rawLine(): string {
    return this.text.slice(0, this.#lineLength);
  }

  get host(): string | undefined {
    const header = headerOf(this.text);
    return askedHost(header('host'), header('x-forwarded-host'), this.peerTrusted);
  }

  get referer(): string | undefined {
    return headerOf(this.text)('referer');
  }

  get requestStart(): number {
    return this.#methodLength + 1;
  }

  get requestEnd(): number {
    return this.#lineLength;
  }

  get wantsJson(): boolean {
    const accept = this.text.slice(this.#acceptStart, this.#acceptEnd).toLowerCase();
    return accept.includes('application/json');
  }
}
