/**
 * Asks for a name's addresses: first the hosts file, then the name servers, without the system's own
 * look-up, which holds one of a few threads for as long as a name server is silent.
 */
import { Resolver } from 'node:dns/promises';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout } from 'node:timers/promises';

const hostsFile = '/etc/hosts';
/** A name server is given so long, then asked once more. */
const tryMs = 2_000;
const tries = 2;
/** How long IPv6 addresses are waited for when there are IPv4 addresses, in milliseconds (RFC 8305 §3). */
const secondKindMs = 50;

/** The names of a hosts file, lower case, with their addresses. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      hosts.set(key, [...(hosts.get(key) ?? []), address]);
    }
  }
  return hosts;
}

export class NameServers {
  readonly #resolver = new Resolver({ timeout: tryMs, tries });
  #hosts = new Map<string, string[]>();
  #hostsChangedMs = -1;

  /** All addresses, IPv4 before IPv6; rejects when there are none. */
  async addressesOf(host: string): Promise<readonly string[]> {
    const known = (await this.#hostsNow()).get(host);
    if (known !== undefined) return known;
    const four = this.#resolver.resolve4(host).catch((): string[] => []);
    const six = this.#resolver.resolve6(host).catch((): string[] => []);
    const known4 = await four;
    // A name server that is silent about the one kind must not keep those waiting who have the other.
    const known6 =
      known4.length === 0 ? await six : await Promise.race([six, setTimeout(secondKindMs, [])]);
    const addresses = [...known4, ...known6];
    if (addresses.length === 0) throw new Error(`no address of ${host} is known`);
    return addresses;
  }

  /** Ends the questions under way. */
  close(): void {
    this.#resolver.cancel();
  }

  async #hostsNow(): Promise<Map<string, string[]>> {
    try {
      const { mtimeMs } = await stat(hostsFile);
      if (mtimeMs === this.#hostsChangedMs) return this.#hosts;
      this.#hosts = parseHosts(await readFile(hostsFile, 'utf8'));
      this.#hostsChangedMs = mtimeMs;
    } catch {
      // A machine without the file has name servers alone.
      this.#hosts = new Map();
    }
    return this.#hosts;
  }
}
