/**
 * The journal's text: every change that the console or the auto update made, one line a
 * record, so that it is there again after a crash. A line is eight hexadecimal digits of CRC-32, a
 * blank, and the JSON that they cover, all ASCII; the first line is a header with the format's
 * version and the PatternSize. Reading tells a torn last line (a crash while writing) from damage
 * elsewhere, and keeps every other line. Touches no file: bytes in, text out.
 */
import type { Change } from './change.ts';
import { encodeLine, type Fields, readLine } from './journal-line.ts';
import { changeOf, fieldsOf } from './journal-record.ts';
import type { Note } from './sharing.ts';

const formatVersion = 1;
const newline = 0x0a;
/** A damaged file can hold millions of broken lines; the first tell the story. */
const warningsMax = 100;

/** A line that could not be used; `line` counts from 1. */
export interface JournalWarning {
  readonly line: number;
  readonly message: string;
}

/** What `decodeJournal` found besides the changes. */
export interface JournalReading {
  /** Records handed to `apply`. */
  readonly recordCount: number;
  /** Lines that are neither records nor a torn end; the first 100 of them are in `warnings`. */
  readonly damagedCount: number;
  readonly warnings: readonly JournalWarning[];
  /** The file's length in bytes without a torn last line: cut it there before appending. */
  readonly goodLength: number;
  /**
   * Set when the file was written for another PatternSize or by a newer format: the end of the name
   * under which to keep it, `size32` or `version2`. Patterns in it were skipped, but not the rest.
   */
  readonly setAside: string | undefined;
}

/** The first line of a journal, its line end included. */
export function encodeHeader(patternSize: number): string {
  return encodeLine({ journal: formatVersion, patternSize });
}

/** One change as a line of the journal, its line end included; ASCII only. */
export function encodeRecord(change: Change): string {
  return encodeLine(fieldsOf(change));
}

/** A note as a line of the journal, its line end included; ASCII only. */
export function encodeNote(note: Note): string {
  return encodeLine(note);
}

function isNote(fields: Fields): fields is Note {
  return typeof fields.fleet === 'string';
}

/** The PatternSize that a change was written for; undefined when it has no pattern. */
function sizeOf(change: Change): number | undefined {
  if (change.kind === 'propose') return change.proposal.pattern.length;
  return 'pattern' in change ? change.pattern.length : undefined;
}

/**
 * Reads a journal and hands its changes to `apply`, its notes to `takeNote`, in order, one by one, so that a journal of
 * hundreds of megabytes is never held twice. An empty file is an empty journal.
 */
export function decodeJournal(
  bytes: Buffer,
  patternSize: number,
  apply: (change: Change) => void,
  takeNote: (note: Note) => void = () => {},
): JournalReading {
  const warnings: JournalWarning[] = [];
  let recordCount = 0;
  let damagedCount = 0;
  let skippedCount = 0;
  let setAside: string | undefined;
  let goodLength = 0;
  let line = 0;

  const damaged = (message: string) => {
    damagedCount += 1;
    if (warnings.length < warningsMax) warnings.push({ line, message });
  };
  const readHeader = (fields: Fields) => {
    if (typeof fields.journal === 'number' && fields.journal > formatVersion) {
      setAside = `version${fields.journal}`;
    } else if (fields.patternSize !== patternSize) {
      setAside = `size${fields.patternSize}`;
    }
  };
  const readRecord = (fields: Fields) => {
    const change = changeOf(fields);
    if (change === undefined) {
      damaged('The record is of an unknown kind; it was left out.');
    } else if (sizeOf(change) !== undefined && sizeOf(change) !== patternSize) {
      setAside ??= `size${sizeOf(change)}`;
      skippedCount += 1;
    } else {
      recordCount += 1;
      apply(change);
    }
  };

  for (let start = 0; start < bytes.length; start = goodLength) {
    line += 1;
    const end = bytes.indexOf(newline, start);
    const fields = end < 0 ? undefined : readLine(bytes, start, end);
    if (fields === undefined && (end < 0 || end === bytes.length - 1)) {
      warnings.push({
        line,
        message: 'The last record was torn by a crash while it was written; it was dropped.',
      });
      break;
    }
    goodLength = end + 1;
    if (fields === undefined) damaged('The record is damaged; it was left out.');
    else if ('journal' in fields) readHeader(fields);
    else if (isNote(fields)) {
      recordCount += 1;
      takeNote(fields);
    } else readRecord(fields);
  }
  if (skippedCount > 0) {
    warnings.push({
      line: 1,
      message: `${skippedCount} changes are of patterns of another PatternSize than ${patternSize}; they were left out.`,
    });
  }
  return { recordCount, damagedCount, warnings, goodLength, setAside };
}
