/**
 * Who may ask the admin server for what, decided from the head of a request. Refuses what a foreign page in
 * the operator's browser could send (CSRF, DNS rebinding), and whoever has neither token nor session.
 */
import { isIP } from 'node:net';
import { isSecret } from '../config/secret.ts';
import { Sessions } from './sessions.ts';
import { Tries } from './tries.ts';

/** What the decision needs of the settings in force. */
export interface GuardRules {
  /** Empty: whoever reaches the address may ask. */
  readonly token: string;
  /** Names by which it may be called beside addresses and `localhost`, in lower case. */
  readonly hosts: readonly string[];
  readonly sessionMs: number;
}

/** The head of a request, as far as it matters; fields as they were sent. */
export interface Asking {
  readonly method: string;
  /** The connection's peer. */
  readonly peer: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  readonly contentType: string | undefined;
}

export type Verdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 415 | 429;
      readonly message: string;
      /** Seconds, with 429. */
      readonly retryAfter?: number;
    };

/** The name of the session's cookie. */
export const cookieName = 'wormgate';

const bearer = /^Bearer +(.+)$/i;

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export class Guard {
  readonly #rules: () => GuardRules;
  readonly #nowMs: () => number;
  readonly #tries = new Tries();
  readonly #sessions = new Sessions();

  constructor(rules: () => GuardRules, nowMs: () => number) {
    this.#rules = rules;
    this.#nowMs = nowMs;
  }

  /** Whether a request may be answered at all, whoever sends it: it was not sent by a foreign page. */
  checkPlace(asking: Asking): Verdict {
    const { method, host, origin, fetchSite, contentType, authorization } = asking;
    // A page can send any Authorization to its own name: without a token the field proves nothing, and with
    // one checkSender looks at it.
    const isOfProgram = this.#rules().token !== '' && bearer.test(authorization ?? '');
    // Without Host comes the check of a balancer, in HTTP/1.0, and never a browser.
    if (host !== undefined && !isOfProgram && !this.#isOurName(host)) {
      return refuse(403, 'This host name is not served here; [Admin] Hosts names those that are.');
    }
    const isForeign =
      fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none';
    if (isForeign || (origin !== undefined && hostOf(origin) !== (host ?? '').toLowerCase())) {
      return refuse(403, 'Requests of other pages are refused.');
    }
    // No form of a foreign page can send this type.
    if (!safeMethods.has(method) && !/^application\/json\b/i.test(contentType ?? '')) {
      return refuse(415, 'The content of a request is application/json.');
    }
    return { ok: true };
  }

  /** Whether its sender may see and do what is behind the token. */
  checkSender({ peer, authorization, cookie }: Asking): Verdict {
    const { token } = this.#rules();
    if (token === '') return { ok: true };
    const word = cookieValue(cookie ?? '');
    if (word !== '' && this.#sessions.isOpen(word, token, this.#nowMs())) return { ok: true };
    const given = bearer.exec(authorization ?? '')?.[1];
    if (given === undefined)
      return refuse(401, 'The admin server wants the token of [Admin] Token.');
    return this.#checkToken(given, peer);
  }

  /** Begins a session for whoever has the token; gives the value of Set-Cookie. */
  logIn(given: string, peer: string): Verdict & { readonly cookie?: string } {
    const { token, sessionMs } = this.#rules();
    const verdict = token === '' ? { ok: true as const } : this.#checkToken(given, peer);
    if (!verdict.ok) return verdict;
    const word = this.#sessions.begin(token, sessionMs, this.#nowMs());
    const seconds = Math.floor(sessionMs / 1000);
    return { ok: true, cookie: `${cookieName}=${word}; Max-Age=${seconds}; ${cookieAttributes}` };
  }

  /** Ends the session of a cookie; gives the value of Set-Cookie. */
  logOut(cookie: string | undefined): string {
    this.#sessions.end(cookieValue(cookie ?? ''));
    return `${cookieName}=; Max-Age=0; ${cookieAttributes}`;
  }

  #checkToken(given: string, peer: string): Verdict {
    const nowMs = this.#nowMs();
    const waitMs = this.#tries.waitMs(peer, nowMs);
    if (waitMs > 0) {
      const retryAfter = Math.ceil(waitMs / 1000);
      return { ok: false, status: 429, message: 'Too many wrong tokens.', retryAfter };
    }
    if (isSecret(given, this.#rules().token)) return { ok: true };
    this.#tries.noteWrong(peer, nowMs);
    return refuse(401, 'The token is wrong.');
  }

  /** An address cannot be rebound, and a name has to be one of ours. */
  #isOurName(host: string): boolean {
    const name = host.toLowerCase().replace(/:\d+$/, '');
    const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
    return isIP(bare) !== 0 || name === 'localhost' || this.#rules().hosts.includes(name);
  }
}

const cookieAttributes = 'Path=/; HttpOnly; SameSite=Strict';

function refuse(status: 401 | 403 | 415, message: string): Verdict {
  return { ok: false, status, message };
}

/** The host and port of an Origin; undefined for `null` and what is none. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

function cookieValue(cookie: string): string {
  const pairs = cookie.split(';').map((pair) => pair.trim());
  const own = pairs.find((pair) => pair.startsWith(`${cookieName}=`));
  return own === undefined ? '' : own.slice(cookieName.length + 1);
}
