/** Which addresses settings name, and whether two are the same. */
import type { HostPort, Settings } from './config/shape.ts';
import { listenKey } from './upstream/origins.ts';

/** Whether two addresses, or their absence, are the same. */
export function isSameAddress(one: HostPort | undefined, other: HostPort | undefined): boolean {
  return (one && listenKey(one)) === (other && listenKey(other));
}

/** Every address that an accelerator listens on, each once. */
export function listenAddresses(settings: Settings): HostPort[] {
  const addresses = new Map<string, HostPort>();
  for (const { listen, tls } of settings.accelerators) {
    for (const address of [...listen, ...tls.listen]) addresses.set(listenKey(address), address);
  }
  return [...addresses.values()];
}
