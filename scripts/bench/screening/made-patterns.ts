/**
 * Patterns for benchmarks: random, printable and all different, as many as wanted. No request of a
 * log matches one of them.
 */

const patternSize = 16;
/** Without quotation mark and backslash, which NCF files would have to escape. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!*()';

/** One pattern after the other, latin1 text of 16 characters. */
export function* madePatterns(count: number): Generator<string> {
  for (let index = 0; index < count; index += 1) {
    // A tilde in front: the requests of the benchmarks have none there.
    let pattern = `~${index.toString(36)}~`;
    while (pattern.length < patternSize) {
      pattern += alphabet.charAt(Math.floor(Math.random() * alphabet.length));
    }
    yield pattern;
  }
}
