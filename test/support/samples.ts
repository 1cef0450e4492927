/** All requests of test/data by what they are: what shipped patterns and keywords are judged by. */
import {
  type Label,
  type NamedRequest,
  readKnownRequests,
  readLabelledSiteA,
  readSiteB,
  readWormRequests,
  wormRequestString,
} from './requests-data.ts';

/** Request strings of one kind and origin. */
export interface Sample {
  readonly name: string;
  readonly kind: 'attack' | 'humble' | 'neither';
  readonly requestStrings: readonly string[];
  /** The number of each one's line in its file, from 1. */
  readonly lines: readonly number[];
}

/** A request string and the number of its line. */
interface Row {
  readonly requestString: string;
  readonly line: number;
}

function sample(name: string, kind: Sample['kind'], rows: readonly Row[]): Sample {
  return {
    name,
    kind,
    requestStrings: rows.map(({ requestString }) => requestString),
    lines: rows.map(({ line }) => line),
  };
}

function named(requests: readonly NamedRequest[]): readonly Row[] {
  return requests.map((request) => {
    return { requestString: wormRequestString(request, 'HTTP/1.1'), line: request.line };
  });
}

function labelled(label: Label): readonly Row[] {
  return readLabelledSiteA()
    .filter((request) => request.label === label)
    .map(({ target, line }) => ({ requestString: `${target} HTTP/1.1`, line }));
}

/**
 * The requests of worms and those labelled attacks; the humble ones, which are what site-b served (2xx
 * and 3xx) and what site-a calls normal; and the others.
 */
export function readSamples(): readonly Sample[] {
  const siteB = readSiteB().map(({ target, version, status, line }) => {
    const isServed = status >= 200 && status < 400;
    return { requestString: `${target} ${version}`, line, isServed };
  });
  return [
    sample('requests.tsv', 'attack', named(readWormRequests())),
    sample('known-requests.tsv', 'attack', named(readKnownRequests())),
    sample('site-a attack', 'attack', labelled('attack')),
    sample('site-a normal', 'humble', labelled('normal')),
    sample(
      'site-b served',
      'humble',
      siteB.filter(({ isServed }) => isServed),
    ),
    sample('site-a probe', 'neither', labelled('probe')),
    sample('site-a ambiguous', 'neither', labelled('ambiguous')),
    sample(
      'site-b not served',
      'neither',
      siteB.filter(({ isServed }) => !isServed),
    ),
  ];
}

/** The sample of that name. */
export function sampleNamed(name: string): Sample {
  const found = readSamples().find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no sample ${name}`);
  return found;
}

/** Numbers in ascending order as text, neighbours drawn together: `3, 7-9`. */
export function lineRanges(lines: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const line of lines) {
    const range = ranges.at(-1);
    if (range?.[1] === line - 1) range[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ');
}
