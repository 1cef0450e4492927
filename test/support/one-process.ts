/**
 * The tests for which several workers make no sense, and why: whole files here, single tests where they call
 * `oneProcess`. All others pass with WORKERS=2, too.
 */

const reasons: Readonly<Record<string, string>> = {
  '05-limits-connections':
    'bounds are divided among workers, so a single connection more tells nothing',
  '13-lanes-crowds': 'bounds of an origin are divided among workers',
  '13-lanes-origins': 'each worker finds out for itself which origins fail',
};

/** Whether the tests of a file are of a single process, whatever WORKERS says. */
export function isOfOneProcess(file: string): boolean {
  return Object.keys(reasons).some((name) => file.includes(`${name}.test.`));
}

/** For the sections of a wormgate that is to be a single process; `_reason` is for the reader. */
export function oneProcess(_reason: string): Record<string, readonly string[]> {
  return { Fleet: ['Workers=1'] };
}
