/** A wormgate that watches sources, its origin, and clients at addresses of their own. */

import type { Cleanup } from './cleanup.ts';
import { startOrigin } from './origin.ts';
import { RawClient } from './raw-client.ts';
import { startWormgate, type Wormgate, type WormgateOptions } from './wormgate.ts';

export interface SourceRig {
  readonly wormgate: Wormgate;
  /** The paths that the origin has; it answers 404 to others. */
  readonly pages: Set<string>;
  /**
   * Asks for targets on one connection from an address, one after the other; gives their statuses, 0 for
   * those that were slipped. A header line ends in CRLF.
   */
  ask(address: string, targets: readonly string[], headerLines?: string): Promise<number[]>;
}

export async function startSourceRig(
  test: Cleanup,
  { sections, ...options }: WormgateOptions = {},
): Promise<SourceRig> {
  const pages = new Set(['/', '/page', '/style.css']);
  const origin = await startOrigin(test, (req, res) => {
    const path = (req.url ?? '').split('?', 1)[0] ?? '';
    req.resume();
    res.writeHead(pages.has(path) ? 200 : 404, { 'Content-Length': '2' }).end('ok');
  });
  const wormgate = await startWormgate(test, {
    origin: origin.url,
    ...options,
    sections: { 'Virus Sources': ['Crawlers='], ...sections },
  });
  const ask = async (address: string, targets: readonly string[], headerLines = '') => {
    let client = await RawClient.connect(wormgate.port, address);
    const statuses: number[] = [];
    for (const target of targets) {
      if (statuses.at(-1) !== 200 && pages.has(target)) await untilTold(wormgate);
      // A dropped one ends its connection, though that may not be known yet.
      if (client.closed || statuses.at(-1) === 400) {
        client.destroy();
        client = await RawClient.connect(wormgate.port, address);
      }
      const request = `GET ${target} HTTP/1.1\r\nHost: site.test\r\n${headerLines}\r\n`;
      const answer = await client.ask(request).catch(() => undefined);
      statuses.push(answer?.status ?? 0);
    }
    client.destroy();
    await untilTold(wormgate);
    return statuses;
  };
  return { wormgate, pages, ask };
}

/** Waits until all workers, if there are any, know of what requests have led to. */
export async function untilTold(wormgate: Wormgate): Promise<void> {
  if (wormgate.workerPids.length === 0) return;
  // The first time they report; the second time they have been told before they answer.
  for (let round = 0; round < 2; round += 1) await wormgate.counter('requests');
}

/** `count` targets that no origin has. */
export function missing(count: number, prefix = '/missing'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
