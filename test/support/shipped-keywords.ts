/** The shipped keyword file, line by line with its comments. */
import { readFileSync } from 'node:fs';
import { unescapeText } from '../../src/config/quoted.ts';
import { projectPath } from './paths.ts';

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
