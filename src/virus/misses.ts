/**
 * What is a miss: a target that the origin refuses and has never served to anyone. The paths that
 * browsers and honest robots ask for unbidden are none, and neither is what a page of this site has
 * led to: a picture that is gone, a link that is dead. The client writes its Referer itself, so a request
 * that holds a virus keyword is a miss whatever it says. Pure.
 */
import { normalizedRequestString } from './normalize.ts';
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

export interface MissRules {
  /** MissStatus. */
  readonly statuses: readonly number[];
  /** MissExceptions: normalised paths, a `*` at the end stands for anything. */
  readonly exceptions: readonly string[];
}

export interface MissesOptions {
  readonly rules: MissRules;
  /** What was ever served. */
  readonly served: ServedMemory;
  /** Whether a request string holds a virus keyword. */
  readonly holdsKeyword: (requestString: string) => boolean;
}

const statusesMax = 600;
/** So much of a path is kept, in bytes. */
const pathLengthMax = 96;

/** Judges answers, one after the other. */
export class Misses {
  /** The path that was judged last, if it was a miss or referred: what tells it from others, and its beginning. */
  hash = 0;
  path = '';
  readonly #served: ServedMemory;
  readonly #holdsKeyword: (requestString: string) => boolean;
  readonly #isRefusal = new Uint8Array(statusesMax);
  #exceptions = new Set<string>();
  #prefixes: readonly string[] = [];

  constructor({ rules, served, holdsKeyword }: MissesOptions) {
    this.#served = served;
    this.#holdsKeyword = holdsKeyword;
    this.setRules(rules);
  }

  /** Judges by other rules from now on. */
  setRules({ statuses, exceptions }: MissRules): void {
    this.#isRefusal.fill(0);
    for (const status of statuses) this.#isRefusal[status] = 1;
    const isPrefix = (path: string) => path.endsWith('*');
    this.#exceptions = new Set(exceptions.filter((path) => !isPrefix(path)));
    this.#prefixes = exceptions.filter(isPrefix).map((path) => path.slice(0, -1));
  }

  /** Whether an answer with this status may be a miss. */
  isRefusal(status: number): boolean {
    return this.#isRefusal[status] === 1;
  }

  judge(request: AnsweredRequest): MissVerdict {
    const { requestString, status, atMs } = request;
    if (!this.isRefusal(status)) return 'status';
    const normalized = normalizedRequestString(requestString) ?? requestString;
    const path = pathOf(normalized);
    if (this.#isExcepted(path)) return 'excepted';
    if (this.#served.recallPath(requestString, atMs)) return 'served';
    this.hash = this.#served.pathHash(normalized);
    // A copy: a part of a string keeps the whole alive, which may be a head of many kilobytes.
    this.path = Buffer.from(path.slice(0, pathLengthMax), 'latin1').toString('latin1');
    return this.#isReferred(request) && !this.#holdsKeyword(requestString) ? 'referred' : 'miss';
  }

  #isExcepted(path: string): boolean {
    return this.#exceptions.has(path) || this.#prefixes.some((prefix) => path.startsWith(prefix));
  }

  /** Whether it was a page of this site, one that was served, which led to the request. */
  #isReferred({ referer, host, atMs }: AnsweredRequest): boolean {
    if (referer === undefined || host === undefined) return false;
    const [, authority = '', target = ''] = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(referer) ?? [];
    if (authority === '' || hostNameOf(authority) !== hostNameOf(host)) return false;
    return this.#served.recallPath(target.startsWith('/') ? target : `/${target}`, atMs);
  }
}

/** The path of a request string: what stands before the query and the version. */
function pathOf(requestString: string): string {
  const end = requestString.search(/[? ]/);
  return end === -1 ? requestString : requestString.slice(0, end);
}

/** A host without its port, in lower case: a proxy in front may have another one. */
function hostNameOf(authority: string): string {
  return authority.replace(/:[0-9]*$/, '').toLowerCase();
}
