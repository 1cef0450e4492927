/** Random numbers that are the same for the same seed: sfc32. Pure. */

/** Gives a number from 0 up to, not including, 1 each time. */
export type Random = () => number;

/** A source of its own for each seed. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  // The first ones still look like the seed.
  for (let step = 0; step < 16; step += 1) next();
  return next;
}

/** How many tries it takes until one succeeds whose chance is `chance` each time; 1 at least. */
export function triesUntil(chance: number, random: Random): number {
  if (chance >= 1) return 1;
  return 1 + Math.floor(Math.log(1 - random()) / Math.log1p(-chance));
}
