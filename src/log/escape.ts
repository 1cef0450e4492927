/**
 * How bytes that a client chose are written into a log line: bytes outside printable ASCII, quotes
 * and backslashes become %HH, so that nothing sent can end a field or a line. A `%` stands as it
 * came, as in the paper's PROXY.LOG; so %-decoding the written text and %-decoding the received
 * bytes give the same bytes.
 *
 * It does not cut and does not know the fields: that is access.ts.
 */

const unsafeInText = /[^\x20\x21\x23-\x5b\x5d-\x7e]/gu;
const unsafeInToken = /[^\x21\x23-\x5b\x5d-\x7e]/gu;
const unsafeInClient = /[^0-9A-Za-z.:%_-]/gu;

/** Which characters below 128 may stand as they are: nearly every line is made of those alone. */
function safeTable(unsafe: RegExp): Uint8Array {
  const safe = (code: number) => String.fromCharCode(code).search(unsafe) < 0;
  return Uint8Array.from({ length: 128 }, (_, code) => (safe(code) ? 1 : 0));
}

const safeInText = safeTable(unsafeInText);
const safeInToken = safeTable(unsafeInToken);
const safeInClient = safeTable(unsafeInClient);

function isSafe(text: string, safe: Uint8Array): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (safe[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}

/** Longest client address written: an IPv6 address with a zone fits twice. */
const clientLengthMax = 64;

function percent(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const bytes = Buffer.from(character, code <= 0xff ? 'latin1' : 'utf8');
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
}

/**
 * Escapes latin1 text for a quoted field; blanks stay. Characters above 0xff, which latin1 text does
 * not hold, are written as their UTF-8 bytes.
 */
export function escapeText(latin1: string): string {
  return isSafe(latin1, safeInText) ? latin1 : latin1.replace(unsafeInText, percent);
}

/** Escapes latin1 text for a field without quotes: as `escapeText`, and blanks become %20. */
export function escapeToken(latin1: string): string {
  return isSafe(latin1, safeInToken) ? latin1 : latin1.replace(unsafeInToken, percent);
}

/**
 * Escapes a client address for a line's first field, where a stray bracket could pass for the start
 * of another kind of line; an empty address is `-`, and 64 characters are the most it may take.
 */
export function escapeClient(address: string): string {
  const cut = address.slice(0, clientLengthMax);
  if (cut === '') return '-';
  return isSafe(cut, safeInClient) ? cut : cut.replace(unsafeInClient, percent);
}
