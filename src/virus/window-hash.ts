/**
 * The hash of a window: a sum of its bytes, each multiplied by a secret random number of its place,
 * then stirred by the finishing steps of MurmurHash3. Before the stirring it is the multilinear hash,
 * which is strongly universal in its upper 25 bits (Lemire and Kaser, "Strongly universal string
 * hashing is fast", 2014): whoever does not know the seed cannot choose windows that collide more
 * often than chance allows. Zero bytes add nothing, so padding costs nothing. Not a cryptographic
 * hash: it keeps no secret from someone who is shown its values.
 */

const wordRange = 2 ** 32;

/** A small generator of 32-bit numbers (sfc32) that spreads the seed over the secret numbers. */
export function randomWords(seed: number): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / wordRange) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum;
  };
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

/** The finishing steps of MurmurHash3: every bit of the sum changes half of the result. */
export function stir(sum: number): number {
  let hash = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Hashes windows of at most `windowSize` bytes; equal windows and seeds give equal hashes. */
export class WindowHash {
  readonly #factors: Int32Array;
  readonly #start: number;
  readonly #lengthFactor: number;

  /** `seed`: a whole number from 0 to 2^53 - 1, random at every start. */
  constructor(windowSize: number, seed: number) {
    const next = randomWords(seed);
    this.#start = next();
    this.#lengthFactor = next() | 1;
    this.#factors = Int32Array.from({ length: windowSize }, next);
  }

  /** The 32-bit hash of bytes[start, start + length); `length` at most the window size. */
  ofBytes(bytes: Uint8Array, start: number, length: number): number {
    const factors = this.#factors;
    let sum = this.#start | 0;
    for (let at = 0; at < length; at += 1) {
      sum = (sum + Math.imul(factors[at] as number, bytes[start + at] as number)) | 0;
    }
    return stir(sum);
  }

  /** The same for a latin1 string, one character a byte. */
  ofString(text: string, start: number, length: number): number {
    const factors = this.#factors;
    let sum = this.#start | 0;
    for (let at = 0; at < length; at += 1) {
      sum = (sum + Math.imul(factors[at] as number, text.charCodeAt(start + at))) | 0;
    }
    return stir(sum);
  }

  /** The hash of a window and an original length together, from the hash of the window. */
  withLength(hash: number, origLength: number): number {
    return stir(hash ^ Math.imul(origLength, this.#lengthFactor));
  }
}
