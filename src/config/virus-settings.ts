/**
 * `[Virus Pattern Configuration]` from its rows, with the checks that need more than one key:
 * NoOfVirusPatterns against the PatternN that are there, patterns against PatternSize, and
 * PatternFiles against the disk. What the files hold is checked when they are run.
 */
import { resolve } from 'node:path';
import { describeFileError, shown } from './fault.ts';
import type { SectionReader } from './section-reader.ts';
import type { ConfiguredPattern, VirusSettings } from './shape.ts';
import type { SectionTable } from './table.ts';
import type { virusSection } from './virus-rows.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;

/** A reader of `[Virus Pattern Configuration]`. */
export type VirusReader = SectionReader<ValuesOf<typeof virusSection>>;

const namedMax = 3;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function listMissing(numbers: readonly number[]): string {
  const named = numbers.slice(0, namedMax).map((number) => `Pattern${number}`);
  const others = numbers.length - named.length;
  return others === 0 ? named.join(', ') : `${named.join(', ')} and ${others} more`;
}

function readPatterns(reader: VirusReader, patternSize: number): readonly ConfiguredPattern[] {
  const count = reader.get('NoOfVirusPatterns');
  const isCountKnown = !reader.isBad('NoOfVirusPatterns');
  const written = [...reader.getNumbered('PatternN')].sort((a, b) => a.number - b.number);
  const patterns: ConfiguredPattern[] = [];
  for (const { number, line, value } of written) {
    const key = `Pattern${number}`;
    if (isCountKnown && number > count) {
      reader.report(line, key, `NoOfVirusPatterns is ${count}, so there must be no ${key}`);
    }
    if (value === undefined) continue;
    if (!reader.isBad('PatternSize') && value.bytes.length > patternSize) {
      const size = value.bytes.length;
      reader.report(
        line,
        key,
        `the pattern has ${size} bytes; allowed is 1-${patternSize} (PatternSize)`,
      );
    }
    patterns.push(value);
  }
  if (!isCountKnown) return patterns;
  const present = new Set(written.map(({ number }) => number));
  const missing = Array.from({ length: count }, (_, index) => index + 1).filter(
    (number) => !present.has(number),
  );
  if (missing.length > 0) {
    const message = `it is ${count}, but ${listMissing(missing)} ${missing.length === 1 ? 'is' : 'are'} missing`;
    reader.report(reader.lineOf('NoOfVirusPatterns'), 'NoOfVirusPatterns', message);
  }
  return patterns;
}

function readPatternFiles(
  reader: VirusReader,
  folder: string,
  readFile: (file: string) => Uint8Array,
): readonly string[] {
  const files = reader.get('PatternFiles').map((name) => ({ name, path: resolve(folder, name) }));
  for (const { name, path } of files) {
    try {
      readFile(path);
    } catch (error) {
      const where = shown(Buffer.from(name, 'utf8').toString('latin1'));
      const message = `${where} cannot be read: ${describeFileError(error)} (${path})`;
      reader.report(reader.lineOf('PatternFiles'), 'PatternFiles', message);
    }
  }
  return files.map(({ path }) => path);
}

/** The settings of the section. Relative PatternFiles start from `folder`. */
export function readVirusSettings(
  reader: VirusReader,
  folder: string,
  readFile: (file: string) => Uint8Array,
): VirusSettings {
  const patternSize = reader.get('PatternSize');
  const patterns = readPatterns(reader, patternSize);
  const maxPatterns = reader.get('MaxVirusPatterns');
  if (!reader.isBad('MaxVirusPatterns') && patterns.length > maxPatterns) {
    const message = `it is ${maxPatterns}, but the section has ${patterns.length} patterns`;
    reader.report(reader.lineOf('MaxVirusPatterns'), 'MaxVirusPatterns', message);
  }
  const neverBlock = reader.get('NeverBlock');
  return {
    patterns,
    patternSize,
    patternStartOffset: reader.get('PatternStartOffset'),
    autoUpdate: reader.get('EnablePatternAutoUpdate'),
    hitThreshold: reader.get('HitThreshold'),
    refreshIntervalSeconds: reader.get('RefreshInterval'),
    maxPatterns,
    maxKeywords: reader.get('MaxVirusKeywords'),
    patternFiles: readPatternFiles(reader, folder, readFile),
    action: reader.get('VirusAction'),
    mode: reader.get('Mode'),
    normalizeRequests: reader.get('NormalizeRequests'),
    blockConfirmedKeywords: reader.get('BlockConfirmedKeywords'),
    autoUpdateAction: reader.get('AutoUpdateAction'),
    learnedPatternMs: reader.get('LearnedPatternDays') * dayMs,
    servedMemoryMs: reader.get('ServedMemoryHours') * hourMs,
    maxLearnedPatterns: reader.get('MaxLearnedPatterns'),
    maxProposedPatterns: reader.get('MaxProposedPatterns'),
    neverBlockAddresses: neverBlock.flatMap((part) => (part.kind === 'address' ? [part.cidr] : [])),
    neverBlockPaths: neverBlock.flatMap((part) => (part.kind === 'path' ? [part.prefix] : [])),
  };
}
