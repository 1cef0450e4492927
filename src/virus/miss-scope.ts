/** Which answers may be misses, by their status and path alone: a part of misses.ts that needs no memory. Pure. */
import type { Settings } from '../config/shape.ts';
import { normalizedRequestString } from './normalize.ts';

export interface MissRules {
  /** MissStatus. */
  readonly statuses: readonly number[];
  /** MissExceptions: normalised paths, a `*` at the end stands for anything. */
  readonly exceptions: readonly string[];
}

/** The rules of settings. */
export function missRules({ sources }: Pick<Settings, 'sources'>): MissRules {
  return { statuses: sources.missStatuses, exceptions: sources.missExceptions };
}

const statusesMax = 600;

export class MissScope {
  readonly #isRefusal = new Uint8Array(statusesMax);
  #exceptions = new Set<string>();
  #prefixes: readonly string[] = [];

  constructor(rules: MissRules) {
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

  /** Whether a normalised path is never one. */
  isExcepted(path: string): boolean {
    return this.#exceptions.has(path) || this.#prefixes.some((prefix) => path.startsWith(prefix));
  }
}

/** A request string as misses are judged by, normalised. */
export function normalizedOf(requestString: string): string {
  return normalizedRequestString(requestString) ?? requestString;
}

/** The path of a request string: what stands before the query and the version. */
export function pathOf(requestString: string): string {
  const end = requestString.search(/[? ]/);
  return end === -1 ? requestString : requestString.slice(0, end);
}
