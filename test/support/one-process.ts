/**
 * The tests for which several workers make no sense, and why: whole files here, single tests where they call
 * `oneProcess`. All others pass with WORKERS=2, too.
 */

const reasons: Readonly<Record<string, string>> = {
  '03-forwarding-origins': 'each worker has connections of its own to an origin',
  '05-limits-connections': 'bounds are divided among workers: one connection more tells nothing',
  '13-lanes-crowds': 'bounds of an origin are divided among workers',
  '13-lanes-origins': 'each worker counts the failures of origins by itself',
  '13-lanes-sources':
    'with workers a source is blocked a tenth of a second later than with one process',
  '20-origins-apache': 'each worker counts the failures of origins by itself',
  '21-origins-tls': 'each worker has connections and TLS sessions of its own to an origin',
  '23-origins-choice': 'each worker follows weights and failures by itself',
  '24-cache-bounds': 'each worker stores a part, and fetches by itself',
  '24-cache-clients': 'each worker stores what it has fetched',
  '24-cache-command': 'each worker stores what it has fetched',
  '24-cache-crowds': 'each worker joins the requests that it has',
  '24-cache-privacy': 'each worker stores what it has fetched',
  '24-cache-waits': 'each worker joins the requests that it has',
  '31-trace-collector': 'each worker sends spans of its own, and has its part of the queue',
  '34-detection-live': 'the date of one process is turned',
};

/** Whether the tests of a file are of a single process, whatever WORKERS says. */
export function isOfOneProcess(file: string): boolean {
  return Object.keys(reasons).some((name) => file.includes(`${name}.test.`));
}

/** For the sections of a wormgate that is to be a single process; `_reason` is for the reader. */
export function oneProcess(_reason: string): Record<string, readonly string[]> {
  return { Fleet: ['Workers=1'] };
}
