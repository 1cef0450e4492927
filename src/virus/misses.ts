/**
 * What is a miss: a target that the origin refuses and has never served to anyone. The paths that
 * browsers and honest robots ask for unbidden are none, and neither is what a page of this site has
 * led to: a picture that is gone, a link that is dead. The client writes its Referer itself, so a request
 * that holds a virus keyword is a miss whatever it says. Pure.
 */
import { type MissRules, MissScope, normalizedOf, pathOf } from './miss-scope.ts';
import type { ServedMemory } from './served-memory.ts';

/** A request and what the origin made of it. Text is latin1, one character a byte. */
export interface AnsweredRequest {
  readonly requestString: string;
  readonly status: number;
  /** The value of the header. */
  readonly referer: string | undefined;
  /** Which host it is for, with or without its port. */
  readonly host: string | undefined;
  readonly atMs: number;
}

/** Why an answer is no miss; `referred` is one that does not count against its source. */
export type MissVerdict = 'miss' | 'referred' | 'status' | 'excepted' | 'served';

export interface MissesOptions {
  readonly rules: MissRules;
  /** What was ever served. */
  readonly served: ServedMemory;
  /** Whether a request string holds a virus keyword. */
  readonly holdsKeyword: (requestString: string) => boolean;
}

/** So much of a path is kept, in bytes. */
const pathLengthMax = 96;

/** Judges answers, one after the other. */
export class Misses {
  /** The path that was judged last, if it was a miss or referred: what tells it from others, and its beginning. */
  hash = 0;
  path = '';
  readonly #served: ServedMemory;
  readonly #holdsKeyword: (requestString: string) => boolean;
  readonly #scope: MissScope;

  constructor({ rules, served, holdsKeyword }: MissesOptions) {
    this.#served = served;
    this.#holdsKeyword = holdsKeyword;
    this.#scope = new MissScope(rules);
  }

  /** Judges by other rules from now on. */
  setRules(rules: MissRules): void {
    this.#scope.setRules(rules);
  }

  /** Whether an answer with this status may be a miss. */
  isRefusal(status: number): boolean {
    return this.#scope.isRefusal(status);
  }

  judge(request: AnsweredRequest): MissVerdict {
    const { requestString, status, atMs } = request;
    if (!this.isRefusal(status)) return 'status';
    const normalized = normalizedOf(requestString);
    const path = pathOf(normalized);
    if (this.#scope.isExcepted(path)) return 'excepted';
    if (this.#served.recallPath(requestString, atMs)) return 'served';
    this.hash = this.#served.pathHash(normalized);
    // A copy: a part of a string keeps the whole alive, which may be a head of many kilobytes.
    this.path = Buffer.from(path.slice(0, pathLengthMax), 'latin1').toString('latin1');
    return this.#isReferred(request) && !this.#holdsKeyword(requestString) ? 'referred' : 'miss';
  }

  /** Whether it would be referred if only the page that it names had been served. */
  isDoubtful(request: AnsweredRequest): boolean {
    const target = refererTarget(request);
    return target !== undefined && !this.#served.recallPath(target, request.atMs);
  }

  /** Whether it was a page of this site, one that was served, which led to the request. */
  #isReferred(request: AnsweredRequest): boolean {
    const target = refererTarget(request);
    return target !== undefined && this.#served.recallPath(target, request.atMs);
  }
}

/** The target of the page that led to a request; undefined: it is none of this site. */
function refererTarget({ referer, host }: AnsweredRequest): string | undefined {
  if (referer === undefined || host === undefined) return undefined;
  const [, authority = '', target = ''] = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(referer) ?? [];
  if (authority === '' || hostNameOf(authority) !== hostNameOf(host)) return undefined;
  return target.startsWith('/') ? target : `/${target}`;
}

/** A host without its port, in lower case: a proxy in front may have another one. */
function hostNameOf(authority: string): string {
  return authority.replace(/:[0-9]*$/, '').toLowerCase();
}
