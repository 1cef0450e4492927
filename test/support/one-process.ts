/**
 * The test files for which several workers make no sense, and why. All others pass with WORKERS=2, too.
 */

const reasons: Readonly<Record<string, string>> = {};

/** Whether the tests of a file are of a single process, whatever WORKERS says. */
export function inOneProcess(file: string): boolean {
  return Object.keys(reasons).some((name) => file.includes(`${name}.test.`));
}
