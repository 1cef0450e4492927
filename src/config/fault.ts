/**
 * What is wrong with a PROXY.CFG, as values: where it stands and a sentence for the operator. Faults
 * are collected, never thrown, so that `wormgate check` can print all of them at once.
 */
import { escapeText } from './quoted.ts';

/** One fault within a file; `line` counts from 1, and 0 means the file as a whole. */
export interface Fault {
  readonly line: number;
  /** The section's name as written, or empty before the first one. */
  readonly section: string;
  /** The key as written, or empty when the fault is not one key's. */
  readonly key: string;
  readonly message: string;
}

/** A fault with the name of the file that it stands in. */
export interface ConfigFault extends Fault {
  readonly file: string;
}

const shownLengthMax = 80;

/** A piece of the file as a message quotes it: escaped, cut at 80 characters, in backquotes. */
export function shown(latin1: string): string {
  const cut = latin1.length > shownLengthMax;
  const text = cut ? latin1.slice(0, shownLengthMax) : latin1;
  const escaped = escapeText(text).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  return `\`${escaped}${cut ? '…' : ''}\``;
}

function printable(latin1: string): string {
  return shown(latin1).slice(1, -1);
}

/**
 * The fault as one line: `FILE:LINE: [Section] Key: message`. A part that does not apply is left
 * out: `FILE:LINE: [Section]: message` for a section as a whole, `FILE:LINE: message` before the
 * first section, `FILE: message` for the file as a whole, as in `FILE: cannot be read: …`.
 */
export function formatFault(fault: ConfigFault): string {
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}`;
  const section = fault.section === '' ? '' : `[${printable(fault.section)}]`;
  const key = printable(fault.key);
  const subject = section !== '' && key !== '' ? `${section} ${key}` : section + key;
  return subject === '' ? `${place}: ${fault.message}` : `${place}: ${subject}: ${fault.message}`;
}

/** The same for what is worth a word and no fault. */
export function formatWarning(warning: ConfigFault): string {
  return formatFault({ ...warning, message: `warning: ${warning.message}` });
}

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'its name is too long',
};

/** What was thrown, in words. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an error thrown by a file operation means, in a few words. */
export function describeFileError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return fileErrors[code] ?? error.message;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 0; at < left.length; at += 1) {
    const next = [at + 1];
    for (let index = 0; index < right.length; index += 1) {
      const substituted = (row[index] ?? 0) + (left[at] === right[index] ? 0 : 1);
      next.push(Math.min(substituted, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

const nameLengthMax = 64;

/** The candidate nearest to `name`, case ignored, or undefined when none is close to it. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > nameLengthMax) return undefined;
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
