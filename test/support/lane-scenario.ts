/**
 * What is played to both lanes: a client that sends, waits and leaves, and an origin that answers.
 * Nothing here compares.
 */
import { type LaneCall, type LaneOrigin, type LaneScript, sentinelTarget } from './lane-origin.ts';
import { hear } from './lane-transcript.ts';
import type { RawClient } from './raw-client.ts';

/** How a connection looks from its client. */
type Standing = 'closed by wormgate' | 'open' | 'in the middle of something';

/** Where the two sides of a scenario tell each other what they see, before either gives up waiting. */
export class Meeting {
  readonly #told: Standing[] = [];
  #wake: () => void = () => {};

  /** Waits for the other side, and says whether it sees the same. */
  async agrees(mine: Standing): Promise<boolean> {
    this.#told.push(mine);
    if (this.#told.length === 2) this.#wake();
    else {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#told.every((each) => each === mine);
  }

  /** One side has failed, and the other need not wait. */
  giveUp(): void {
    this.#wake();
  }
}

/** One end of a scenario: a client of one of the two, and what reaches its origin. */
export interface Side {
  readonly client: RawClient;
  readonly origin: LaneOrigin;
  /** The port of the site, for clients that need more than one connection. */
  readonly port: number;
  /** Where the client's connection comes from. */
  readonly address: string;
  /** How much longer than usual to wait: 1, or more when it is played once more. */
  readonly patience: number;
  readonly meeting: Meeting;
  /** True when a script answers, which takes its time. */
  readonly isScripted: boolean;
  /** A line that has to be equal on both sides. */
  note(line: string): void;
  /** Waits until the origin has received the head of so many requests of this client. */
  received(count: number): Promise<void>;
  /** The requests of this client. */
  calls(): readonly LaneCall[];
}

export interface Scenario {
  /** What is sent, for the report. */
  readonly sent: string;
  readonly play: (side: Side) => Promise<void>;
  /** One of the pair's sites; the first without it. */
  readonly site?: string;
  /** What the origin answers, instead of `echo`; its connections are closed afterwards. */
  readonly script?: LaneScript;
  /** False: how much the client hears is a race, and only what the play notes is compared. */
  readonly isHeard?: false;
  /** Also compare requests that reached the origin and never became whole. */
  readonly withIncomplete?: boolean;
}

/** A request that finds out whether the connection is open and where the next request begins. */
export const sentinel = `GET ${sentinelTarget} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** How long to wait for what may never come: for an answer, and for the sentinel's. */
const answerWaitMs = 120;
const sentinelWaitMs = 100;
/** How long to wait for what is bound to come. */
const certainWaitMs = 3000;
/** How long to wait for what a script may take its time for, or never do. */
const scriptWaitMs = 1500;

/**
 * Sends the segments, waits for the answers, and asks for the sentinel behind them. A connection that
 * neither answers that nor closes is ended from our side: it is in the middle of something. `answers`:
 * how many are bound to come, unless the connection is closed; undefined where nobody can know.
 */
export function segments(
  parts: readonly (string | Buffer)[],
  answers?: number,
): (side: Side) => Promise<void> {
  return async (side) => {
    for (const [index, part] of parts.entries()) {
      if (index > 0) await pause(1);
      await side.client.flush(part);
    }
    await ended(side, answers, /^HEAD /.test(parts.join('')));
  };
}

/** What `segments` does behind what it sends. */
export async function ended(side: Side, answers?: number, isHead = false): Promise<void> {
  const { client, patience } = side;
  const count = () => {
    const { headCount, answerCount } = hear(client.text, client.closed);
    return isHead ? headCount : answerCount;
  };
  const uncertainWaitMs = side.isScripted ? scriptWaitMs : answerWaitMs * patience;
  const isAnswered = await client.sees(
    () => client.closed || count() >= (answers ?? 1),
    answers === undefined ? uncertainWaitMs : certainWaitMs,
  );
  await untilOriginIsClosed(side);
  // Behind what may have been left over, in a line of its own: how much of a broken line has arrived
  // by the time it is read is a race.
  const isCertain = answers !== undefined || side.isScripted;
  if (!client.closed) client.send(isCertain ? sentinel : `\r\n${sentinel}`);
  const heardIt = () => client.text.includes(`\r\n\r\nGET ${sentinelTarget} `);
  const isKnown = () => client.closed || heardIt();
  const standing = (): Standing => {
    if (heardIt()) return 'open';
    return client.closed ? 'closed by wormgate' : 'in the middle of something';
  };
  await client.sees(isKnown, isAnswered ? certainWaitMs : sentinelWaitMs * patience);
  let seen = standing();
  if (!(await side.meeting.agrees(seen))) {
    await client.sees(isKnown, certainWaitMs);
    seen = standing();
  }
  side.note(seen);
  if (client.closed) return;
  client.socket.end();
  await client.sees(() => client.closed, 5000);
  if (!client.closed) side.note('open though its client ended');
}

/** Whether the sentinel still meets a connection that its origin has just closed would be a race. */
export async function untilOriginIsClosed({ calls, patience, note }: Side): Promise<void> {
  const isHalfClosed = () =>
    calls().some(({ socket }) => socket.writableEnded && !socket.destroyed && !socket.closed);
  const end = performance.now() + 1000 * patience;
  while (isHalfClosed()) {
    if (performance.now() > end) return note('a connection that its origin ended is still open');
    await pause(3);
  }
}

/** Notes whether wormgate hangs up on the origin that has been asked. */
export async function noteOriginsEnd({ calls, note }: Side): Promise<void> {
  const [call] = calls();
  if (call === undefined) return;
  const isGone = () => call.socket.destroyed || call.socket.readableEnded;
  for (let times = 0; times < 300 && !isGone(); times += 1) await pause(10);
  note(isGone() ? 'the origin is hung up on' : 'the origin is kept');
}

/** A scenario of bytes alone. */
export function bytes(parts: readonly (string | Buffer)[], answers?: number): Scenario {
  const sent = parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  return { sent: sent.join('|'), play: segments(parts, answers) };
}

/** Waits for the other side's bytes to have arrived, or for packets to stay apart. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
