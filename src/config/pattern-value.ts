/**
 * The value of `PatternN`: `"bytes",origLength`, as the paper's `virus add -p "bytes" -o origLength`
 * writes the same two. Whether the bytes fit in PatternSize is checked in load.ts, which knows it.
 */
import { shown } from './fault.ts';
import { unquote } from './quoted.ts';
import type { ConfiguredPattern } from './shape.ts';
import { integer, type Range, refuse, splitList, type ValueType } from './value.ts';

/** The lengths that a request string may be said to have. */
export const origLengthRange: Range = { min: 1, max: 2_147_483_647 };

const origLength = integer(origLengthRange, 'bytes');

/** A pattern and the length of the request string that it was cut from. */
export const configuredPattern: ValueType<ConfiguredPattern> = {
  description: '"bytes",origLength',
  parse(text) {
    const [written = '', digits = '', ...surplus] = splitList(text);
    if (surplus.length > 0 || digits === '' || !written.startsWith('"')) {
      return refuse(`${shown(text)} is not "bytes",origLength, as in "default.ida?NNNN",385`);
    }
    const bytes = unquote(written);
    const length = origLength.parse(digits);
    const messages: string[] = [];
    if (!bytes.ok) messages.push(`${shown(written)}: ${bytes.message}`);
    else if (bytes.text === '') messages.push('the pattern is empty');
    if (!length.ok) messages.push(...length.messages.map((message) => `origLength ${message}`));
    if (!bytes.ok || !length.ok || messages.length > 0) return { ok: false, messages };
    return {
      ok: true,
      value: { bytes: Buffer.from(bytes.text, 'latin1'), origLength: length.value },
    };
  },
};
