/**
 * The shipped pattern files, line by line with their comments, and the screen that they make under
 * the shipped configuration.
 */
import { readFileSync } from 'node:fs';
import { normalizedRequestString } from '../../src/virus/normalize.ts';
import { cutWindow, formatPattern, padPattern } from '../../src/virus/pattern.ts';
import { PatternSet } from '../../src/virus/pattern-set.ts';
import { Screen } from '../../src/virus/screen.ts';
import { projectPath } from './paths.ts';
import { type NamedRequest, readWormRequests } from './requests-data.ts';

/** The files of patterns/ that the shipped configuration loads. */
export const shippedPatternFiles = [
  'patterns/classic-worms.ncf',
  'patterns/modern-worms.ncf',
  'patterns/scanners.ncf',
] as const;

const patternSize = 16;
const patternStartOffset = 1;

/**
 * Requests of requests.tsv that no pattern is shipped for: WordPress' plugins and Joomla's components all
 * share their windows. Keywords tell them.
 */
const patternless: ReadonlySet<string> = new Set(['wp-file-manager', 'ZmEu joomla pma']);

/** The requests of requests.tsv that shipped patterns stop. */
export function readPatternedWorms(): readonly NamedRequest[] {
  return readWormRequests().filter(({ name }) => !patternless.has(name));
}

/** One `virus add` line; `line` is its number from 1, `comment` the comment lines right above it. */
export interface ShippedPattern {
  readonly file: string;
  readonly line: number;
  readonly comment: string;
  readonly pattern: string;
  readonly origLength: number;
}

/** Reads a pattern file; throws on a line that is neither blank, a comment nor `virus add`. */
export function readShippedPatterns(file: string): readonly ShippedPattern[] {
  const patterns: ShippedPattern[] = [];
  let comment: string[] = [];
  for (const [index, text] of readFileSync(projectPath(file), 'latin1').split('\n').entries()) {
    if (text.startsWith('#')) {
      comment.push(text.slice(1).trim());
      continue;
    }
    if (text !== '') {
      const parts = /^virus add -p "([^"\\]+)" -o ([1-9][0-9]*)$/.exec(text);
      if (!parts) throw new Error(`${file}:${index + 1}: not a virus add line: ${text}`);
      const [, pattern = '', origLength = ''] = parts;
      patterns.push({
        file,
        line: index + 1,
        comment: comment.join(' '),
        pattern,
        origLength: Number(origLength),
      });
    }
    comment = [];
  }
  return patterns;
}

/** The screen of the shipped configuration, with every shipped pattern in its set. */
export function shippedScreen(): Screen {
  const set = new PatternSet({ patternSize, maxPatterns: 100_000, seed: 1 });
  for (const { file, line, pattern, origLength } of shippedPatternFiles.flatMap(
    readShippedPatterns,
  )) {
    const bytes = padPattern(Buffer.from(pattern, 'latin1'), patternSize);
    if (!bytes) throw new Error(`${file}:${line}: longer than ${patternSize} bytes`);
    set.add(bytes, origLength, 'shipped', 0);
  }
  return new Screen(set, { patternStartOffset, normalizeRequests: true });
}

/** Both windows of a request, as patterns are written: the raw one and, where due, the normalised. */
export function windowsOf(requestString: string): readonly string[] {
  const normalized = normalizedRequestString(requestString);
  return [requestString, ...(normalized === undefined ? [] : [normalized])].map((each) =>
    formatPattern(cutWindow(each, patternStartOffset, patternSize)),
  );
}
