/** Virus sources as JSON, for the web console. Pure. */
import { escapeText } from '../config/quoted.ts';
import type { Source } from '../virus/sources.ts';
import { causes, isBlocked, type SourceConsole, take } from './source-commands.ts';

/** How many are shown: the blocked first. */
const shownMax = 100;

/** A request that counts against a source; printable. */
export interface CountedView {
  readonly atMs: number;
  readonly requestId: string;
  readonly what: string;
  /** The path of a miss; the pattern or keyword of a virus request. */
  readonly text: string;
}

export interface SourceView {
  readonly address: string;
  /** Null: it is watched, not blocked. */
  readonly untilMs: number | null;
  readonly why: string | null;
  readonly misses: number;
  readonly viruses: number;
  /** How often it was blocked without a rest. */
  readonly times: number;
  /** Requests that were stopped because of it. */
  readonly requests: number;
  /** Oldest first. */
  readonly counted: readonly CountedView[];
}

export interface SourcesView {
  readonly isWatching: boolean;
  readonly blocked: number;
  readonly watched: number;
  readonly sources: readonly SourceView[];
}

/** Whom the server watches and blocks. */
export function viewSources(sources: SourceConsole, nowMs: number): SourcesView {
  return {
    isWatching: sources.isWatching(),
    ...sources.counts(),
    sources: Array.from(take(sources.list(), shownMax), (source) => viewSource(source, nowMs)),
  };
}

function viewSource(source: Source, nowMs: number): SourceView {
  const { address, untilMs, cause, misses, viruses, times, requests } = source;
  const blocks = isBlocked(source, nowMs);
  const counted = [
    ...misses.map(({ atMs, requestId, status, path }) => {
      return { atMs, requestId, what: `miss, ${status}`, text: escapeText(path) };
    }),
    ...viruses.map(({ atMs, requestId, matched }) => {
      return { atMs, requestId, what: 'virus request', text: escapeText(matched) };
    }),
  ].sort((one, other) => one.atMs - other.atMs);
  return {
    ...{ address, times, requests, counted },
    untilMs: blocks ? untilMs : null,
    why: blocks ? causes[cause] : null,
    misses: misses.length,
    viruses: viruses.length,
  };
}
