/**
 * Who has logged in to the web console: a random word in a cookie, good for some hours and for the token
 * that it was got with. Bounded; in memory, so that a restart logs everybody out. Knows no clock.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface Session {
  /** The token that was in force when it began: another one ends it. */
  readonly tokenDigest: string;
  readonly untilMs: number;
}

const wordBytes = 32;

/** So many may be logged in; the one that came first goes for another. */
const sessionsMax = 100;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

export class Sessions {
  /** By the digest of the word, so that looking one up tells nothing about it by the time it takes. */
  readonly #sessions = new Map<string, Session>();

  /** Begins one; gives the word. */
  begin(token: string, lifetimeMs: number, nowMs: number): string {
    const word = randomBytes(wordBytes).toString('base64url');
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= sessionsMax) this.#sessions.delete(oldest);
    this.#sessions.set(digest(word), { tokenDigest: digest(token), untilMs: nowMs + lifetimeMs });
    return word;
  }

  /** Whether the word is that of a session under the token in force now. */
  isOpen(word: string, token: string, nowMs: number): boolean {
    const key = digest(word);
    const session = this.#sessions.get(key);
    if (session === undefined) return false;
    if (session.tokenDigest === digest(token) && nowMs < session.untilMs) return true;
    this.#sessions.delete(key);
    return false;
  }

  end(word: string): void {
    this.#sessions.delete(digest(word));
  }
}
