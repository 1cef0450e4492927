/**
 * One virus pattern: the bytes found at the fixed offset of a request (the paper, "Configuring the
 * Feature": "reads the next 16 bytes"). How it is written, padded, printed and cut out of a request
 * string. A pattern shorter than PatternSize stands for a request string that ends there, so it is
 * filled up with zero bytes. Knows nothing of the database that holds patterns.
 */
import { escapeText, unescapeText } from '../config/quoted.ts';

/** A pattern's bytes as written, neither padded nor measured, or a sentence saying what is wrong. */
export type ParsedPattern =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly message: string };

/** Reads the latin1 text between the quotation marks of `-p "…"` or `PatternN="…"`. */
export function parsePatternText(body: string): ParsedPattern {
  const unescaped = unescapeText(body);
  if (!unescaped.ok) return unescaped;
  if (unescaped.text.length === 0) return { ok: false, message: 'the pattern is empty' };
  return { ok: true, bytes: Uint8Array.from(Buffer.from(unescaped.text, 'latin1')) };
}

/** `bytes` filled up with zeros to `patternSize` bytes; undefined when they are more than that. */
export function padPattern(bytes: Uint8Array, patternSize: number): Uint8Array | undefined {
  if (bytes.length > patternSize) return undefined;
  const pattern = new Uint8Array(patternSize);
  pattern.set(bytes);
  return pattern;
}

/**
 * The pattern as it stands between quotation marks: zeros at its end left out, escapes in. A pattern
 * of zeros alone is `\x00`. `padPattern` of the parsed text gives the same pattern again.
 */
export function formatPattern(pattern: Uint8Array): string {
  const last = pattern.findLastIndex((byte) => byte !== 0);
  const shown = pattern.subarray(0, Math.max(last + 1, 1));
  return escapeText(Buffer.from(shown).toString('latin1'));
}

/** The window of a latin1 request string: `size` bytes from `offset`, zeros past its end. */
export function cutWindow(requestString: string, offset: number, size: number): Uint8Array {
  const window = new Uint8Array(size);
  window.set(Buffer.from(requestString.slice(offset, offset + size), 'latin1'));
  return window;
}
