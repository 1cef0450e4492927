/** One wormgate with a site, on a port of its own, for each origin that a test file needs. */
import type { Cleanup } from './cleanup.ts';
import { freePort, startWormgate, type Wormgate } from './wormgate.ts';

export interface SiteOptions {
  /** Origin URLs, comma separated. */
  readonly origin: string;
  /** Further lines of the accelerator's section. */
  readonly lines?: readonly string[];
}

export interface Sites<Name extends string> {
  readonly wormgate: Wormgate;
  readonly ports: Readonly<Record<Name, number>>;
}

/** Starts it; the test's end stops it. */
export async function startSites<Name extends string>(
  test: Cleanup,
  sites: Readonly<Record<Name, SiteOptions>>,
  sections: Readonly<Record<string, readonly string[]>> = {},
): Promise<Sites<Name>> {
  const ports: Partial<Record<Name, number>> = {};
  const accelerators: Record<string, readonly string[]> = {};
  for (const name of Object.keys(sites) as Name[]) {
    const port = await freePort();
    ports[name] = port;
    const { origin, lines = [] } = sites[name];
    accelerators[`Accelerator ${name}`] = [
      `Listen=127.0.0.1:${port}`,
      `Origin=${origin}`,
      ...lines,
    ];
  }
  const wormgate = await startWormgate(test, { sections: { ...accelerators, ...sections } });
  return { wormgate, ports: ports as Record<Name, number> };
}
