/**
 * One request to an origin, and all whose answer it may become. What is done with the answer is judged when
 * its head is there: kept, and read by everybody who waits; passed to who asked first, while the others go
 * by themselves; or not needed, because something stored is as good. It goes on when who asked first has
 * gone, as long as somebody wants the answer or it is to be kept.
 */

import {
  AnswerContent,
  type AnswerHead,
  answerHead,
  type ContentTaker,
} from '../upstream/answer-content.ts';
import type { AnswerScanner } from '../upstream/answer-head.ts';
import type { AnswerSink } from '../upstream/answer-sink.ts';
import type { OriginFaultCode } from '../upstream/faults.ts';
import type { HeaderLine } from '../upstream/hop-by-hop.ts';
import { Relay } from '../upstream/relay.ts';
import type { RelayClient, RelayedRequest } from '../upstream/relay-client.ts';
import { isOverdue } from '../upstream/waits.ts';
import { ArrivingAnswer } from './arriving-answer.ts';
import type { Fetched, Recipient, WaitingRoom } from './recipient.ts';

/** What becomes of an answer. */
export type Judgement =
  /** At most `bytesMax` bytes of content are kept; with more, it is passed on and forgotten. */
  | {
      readonly kind: 'keep';
      readonly bytesMax: number;
      /** Others than who asked may have it, too. */
      readonly isShared: boolean;
    }
  /** `fetched`: what to say of it. */
  | { readonly kind: 'pass'; readonly fetched: Fetched }
  /** Those who wait are given something else; the content is of no use. */
  | { readonly kind: 'settle'; deliver(recipient: Recipient): void };

/** Whose request it is, and who decides. */
export interface FetchOwner {
  /** Milliseconds since the epoch, now. */
  nowMs(): number;
  /** What to say of an answer that is for one alone, where a look at its head is enough to tell. */
  judgeQuickly(head: AnswerScanner, bytes: Buffer): Fetched | undefined;
  judge(head: AnswerHead): Judgement;
  /** Whether an answer that is kept is for this recipient, too; if not, it is somebody else's business. */
  isFor(recipient: Recipient): boolean;
  again(recipient: Recipient): void;
  /** How a kept answer looks that is not whole yet. */
  readonly arriving: Fetched;
  /** What to give those who wait although the origin failed; undefined: the fault. */
  excuse(code: OriginFaultCode): ((recipient: Recipient) => void) | undefined;
  /** An answer that was to be kept is whole; gives what those are given who waited for that. */
  onWhole(answer: ArrivingAnswer): (recipient: Recipient) => void;
  /** An answer that was to be kept has more content than may be kept. */
  onTooLarge(): void;
  onRetry(hasMoved: boolean): void;
  /** Nobody may join any more. */
  onClosed(): void;
  /** The origin is done with, or somebody else's business: there is no time to keep any more. */
  onDone(): void;
}

/** How many bytes of an answer that is not kept wait for a slow reader. */
const windowBytesMax = 65_536;

/** So many ticks a slow reader of such an answer may hold up those who have read all there is. */
const patienceTicks = 20;

export class Fetch implements RelayClient, ContentTaker, WaitingRoom {
  readonly #owner: FetchOwner;
  readonly #relay: Relay;
  readonly #request: RelayedRequest;
  readonly #waiters = new Set<Recipient>();
  /** Whose request was sent; undefined: nobody's, it goes on behind the clients' backs. */
  #initiator: Recipient | undefined;
  #answer: ArrivingAnswer | undefined;
  #keptBytesMax = 0;
  /** The answer is for one alone, and this is to be said of it. */
  #passed: Fetched | undefined;
  /** Nobody may join any more. */
  #isClosed = false;
  /** The origin is done with, or somebody else's business. */
  #isDone = false;
  /** Ticks since something happened, and for how long slow readers have been waited for. */
  #idleTicks = 0;
  #fullTicks = 0;

  /** `idleRelay`: one to use in place of a new one. */
  constructor(request: RelayedRequest, owner: FetchOwner, idleRelay: Relay | undefined) {
    this.#request = request;
    this.#owner = owner;
    this.#relay = idleRelay ?? new Relay(this);
    this.#relay.handTo(this);
  }

  /** Sends the request, for `initiator` and whoever joins. */
  start(initiator: Recipient | undefined): void {
    this.#initiator = initiator;
    if (initiator !== undefined) this.join(initiator);
    this.#relay.start(this.#request);
  }

  /** Whether the request that was sent is that of this recipient. */
  isOf(recipient: Recipient): boolean {
    return recipient === this.#initiator;
  }

  /** Waits, or reads what is arriving. */
  join(recipient: Recipient): void {
    const answer = this.#answer;
    recipient.room = this;
    if (answer === undefined || recipient.needsWhole) this.#waiters.add(recipient);
    else recipient.onArriving(answer, this.#owner.arriving);
  }

  /** Whether one who comes now gets the answer, too. */
  get mayJoin(): boolean {
    return !this.#isClosed;
  }

  /** The client has gone. What nobody waits for goes on only if it was sent: its answer may be kept. */
  leave(recipient: Recipient): void {
    if (!this.#waiters.delete(recipient)) return;
    const isUnwanted = this.#waiters.size === 0 && this.#initiator !== undefined;
    const { awaited } = this.#relay;
    if (isUnwanted && (awaited === 'place' || awaited === 'connection')) this.abort();
  }

  /** A reader has left: an answer that is not kept and that nobody reads is given up. */
  noteLeft(): void {
    if (this.#answer !== undefined) this.#noteLeft(this.#answer);
  }

  #noteLeft(answer: ArrivingAnswer): void {
    const isWanted = answer.isKept || answer.readerCount > 0 || this.#waiters.size > 0;
    if (!this.#isDone && !isWanted) this.abort();
  }

  /** Gives it up. */
  abort(): void {
    if (this.#isDone) return;
    this.#relay.abort();
    this.onCutShort(false);
  }

  /** A tick of the clock of waits. */
  tick(): void {
    if (this.#isDone) return;
    this.#idleTicks += 1;
    const answer = this.#answer;
    const isFull = answer?.isFull === true;
    this.#fullTicks = isFull ? this.#fullTicks + 1 : 0;
    if (this.#fullTicks > patienceTicks) answer?.cutLaggards();
    const wait = isFull ? 'nothing' : this.#relay.awaited;
    if (isOverdue(wait, this.#idleTicks, this.#request.limits)) this.#relay.expire();
  }

  sinkFor(scanner: AnswerScanner, bytes: Buffer): AnswerSink {
    const quick = this.#owner.judgeQuickly(scanner, bytes);
    if (quick !== undefined) return this.#pass(quick, scanner, bytes);
    const judgement = this.#owner.judge(answerHead(scanner, bytes));
    if (judgement.kind === 'settle') {
      this.#close();
      this.#leaveOut();
      this.#release((recipient) => judgement.deliver(recipient));
      // What nobody wants is read for the sake of the connection only.
      const isShort = scanner.contentLength >= 0 && scanner.contentLength <= windowBytesMax;
      if (!isShort && scanner.status !== 304) this.abort();
      return new AnswerContent(nobody);
    }
    if (judgement.kind === 'keep') {
      this.#keptBytesMax = judgement.bytesMax;
      if (!judgement.isShared) this.#keepForOne();
      return new AnswerContent(this);
    }
    return this.#pass(judgement.fetched, scanner, bytes);
  }

  #pass(fetched: Fetched, scanner: AnswerScanner, bytes: Buffer): AnswerSink {
    const first = this.#keepForOne();
    this.#waiters.clear();
    if (first?.request.method === 'HEAD') {
      // A GET was sent in its place, and what came is of no use to it.
      sendAlone(first);
      this.abort();
      return new AnswerContent(nobody);
    }
    const client = first?.takeOver(this.#relay, fetched);
    if (client !== undefined) {
      this.#finish();
      this.#relay.handTo(client);
      return client.sinkFor(scanner, bytes);
    }
    if (first !== undefined) this.#waiters.add(first);
    this.#passed = fetched;
    return new AnswerContent(this);
  }

  /** Only who asked may have the answer; gives him, if he still waits. */
  #keepForOne(): Recipient | undefined {
    this.#close();
    const initiator = this.#initiator;
    for (const recipient of [...this.#waiters]) {
      if (recipient === initiator) continue;
      this.#waiters.delete(recipient);
      sendAlone(recipient);
    }
    return initiator !== undefined && this.#waiters.has(initiator) ? initiator : undefined;
  }

  onHead(head: AnswerHead): void {
    const isKept = this.#passed === undefined;
    this.#answer = new ArrivingAnswer(head, isKept, windowBytesMax);
    if (isKept) this.#leaveOut();
  }

  /** Those whom an answer that is kept is not for go their own way. */
  #leaveOut(): void {
    for (const recipient of [...this.#waiters]) {
      if (this.#owner.isFor(recipient)) continue;
      this.#waiters.delete(recipient);
      this.#owner.again(recipient);
    }
  }

  readonly onContent = (bytes: Buffer, start: number, end: number): void => {
    const answer = this.#answer;
    if (answer === undefined) return;
    answer.add(bytes, start, end);
    if (!answer.isKept || answer.contentBytes <= this.#keptBytesMax) return;
    this.#close();
    this.#owner.onTooLarge();
    this.#beginReading(answer);
    answer.keepNoMore();
    // They would wait in vain.
    this.#release(sendAlone);
    this.#noteLeft(answer);
  };

  onEnd(trailers: readonly HeaderLine[]): void {
    const answer = this.#answer;
    if (answer === undefined || this.#isDone) return;
    answer.finish(trailers);
    this.#close();
    if (answer.isKept) this.#release(this.#owner.onWhole(answer));
    else this.#beginReading(answer);
    answer.tell();
  }

  nowMs(): number {
    return this.#owner.nowMs();
  }

  writeInterim(text: string): void {
    // For the others it may be about something else.
    const initiator = this.#initiator;
    if (initiator !== undefined && this.#waiters.has(initiator)) initiator.onInterim(text);
  }

  isBehind(): boolean {
    const answer = this.#answer;
    if (answer === undefined || answer.isOver || this.#isDone) return false;
    // Now that all of a piece has been added: a short answer is whole by then, and needs no readers.
    this.#beginReading(answer);
    answer.tell();
    if (!answer.isKept) this.#noteLeft(answer);
    return answer.isFull;
  }

  #beginReading(answer: ArrivingAnswer): void {
    for (const recipient of [...this.#waiters]) {
      if (recipient.needsWhole && answer.isKept) continue;
      this.#waiters.delete(recipient);
      recipient.onArriving(answer, this.#passed ?? this.#owner.arriving);
    }
  }

  whenTaken(action: () => void): void {
    if (this.#answer?.isFull !== true) return action();
    this.#answer.whenRoom(() => {
      this.onActivity();
      if (!this.#isDone) action();
    });
  }

  onActivity(): void {
    this.#idleTicks = 0;
  }

  /** A fetch has no body to send. */
  onBodyWanted(): void {}
  onBodyDrained(): void {}

  onRetry(hasMoved: boolean): void {
    this.#owner.onRetry(hasMoved);
  }

  onFault(code: OriginFaultCode): void {
    const excuse = this.#owner.excuse(code) ?? ((recipient: Recipient) => recipient.onFault(code));
    this.#finish();
    this.#close();
    this.#leaveOut();
    this.#release(excuse);
  }

  onCutShort(isTimeout: boolean): void {
    this.#finish();
    this.#close();
    this.#answer?.cutShort(isTimeout);
    const code = isTimeout ? 'origin_timeout' : 'origin_closed';
    this.#release((recipient) => recipient.onFault(code));
  }

  onAnswered(): void {
    this.#finish();
  }

  #release(deliver: (recipient: Recipient) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const recipient of waiters) deliver(recipient);
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#owner.onDone();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.onClosed();
  }
}

/** He has waited, and is not answered along with others. */
function sendAlone(recipient: Recipient): void {
  recipient.isCollapsed = false;
  recipient.onAlone();
}

/** For content that nobody wants. */
const nobody: ContentTaker = { onHead: () => {}, onContent: () => {}, onEnd: () => {} };
