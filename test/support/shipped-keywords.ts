/** The shipped keyword file, line by line with its comments, and the requests it is judged by. */
import { readFileSync } from 'node:fs';
import { unescapeText } from '../../src/config/quoted.ts';
import { projectPath } from './paths.ts';
import {
  type Label,
  readLabelledSiteA,
  readSiteB,
  readWormRequests,
  wormRequestString,
} from './requests-data.ts';

export const keywordFile = 'patterns/keywords.ncf';

/** One `virus add -k` line; `comment` is that of the lines it stands among. */
export interface ShippedKeyword {
  readonly keyword: string;
  /** Its number in the file, from 1. */
  readonly line: number;
  readonly comment: string;
}

/** Reads the keyword file; throws on a line that is neither blank, a comment nor `virus add -k`. */
export function readShippedKeywords(): readonly ShippedKeyword[] {
  const keywords: ShippedKeyword[] = [];
  let comment: string[] = [];
  for (const [index, text] of readFileSync(projectPath(keywordFile), 'latin1')
    .split('\n')
    .entries()) {
    if (text === '') comment = [];
    else if (text.startsWith('#')) comment.push(text.slice(1).trim());
    else {
      const line = index + 1;
      const keyword = unescapeText(/^virus add -k "(.+)"$/.exec(text)?.[1] ?? '"');
      if (!keyword.ok) throw new Error(`${keywordFile}:${line}: not a virus add -k line: ${text}`);
      keywords.push({ keyword: keyword.text, line, comment: comment.join(' ') });
    }
  }
  return keywords;
}

/** Request strings of one kind and origin. */
export interface Sample {
  readonly name: string;
  readonly kind: 'attack' | 'humble' | 'neither';
  readonly requestStrings: readonly string[];
}

function labelled(label: Label): string[] {
  return readLabelledSiteA()
    .filter((request) => request.label === label)
    .map(({ target }) => `${target} HTTP/1.1`);
}

/**
 * All requests of the data by what they are: those of worms and those labelled attacks; the humble
 * ones, which are what site-b served (2xx and 3xx) and what site-a calls normal; and the others.
 */
export function readSamples(): readonly Sample[] {
  const isServed = ({ status }: { status: number }) => status >= 200 && status < 400;
  const siteB = readSiteB();
  const stringsOf = (requests: typeof siteB) =>
    requests.map(({ target, version }) => `${target} ${version}`);
  const worms = readWormRequests().map((request) => wormRequestString(request, 'HTTP/1.1'));
  return [
    { name: 'requests.tsv', kind: 'attack', requestStrings: worms },
    { name: 'site-a attack', kind: 'attack', requestStrings: labelled('attack') },
    { name: 'site-a normal', kind: 'humble', requestStrings: labelled('normal') },
    { name: 'site-b served', kind: 'humble', requestStrings: stringsOf(siteB.filter(isServed)) },
    { name: 'site-a probe', kind: 'neither', requestStrings: labelled('probe') },
    { name: 'site-a ambiguous', kind: 'neither', requestStrings: labelled('ambiguous') },
    {
      name: 'site-b not served',
      kind: 'neither',
      requestStrings: stringsOf(siteB.filter((request) => !isServed(request))),
    },
  ];
}
