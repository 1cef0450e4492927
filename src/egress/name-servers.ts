/**
 * Asks for a name's addresses: first the hosts file, then the name servers, without the system's own
 * look-up, which holds one of a few threads for as long as a name server is silent.
 */
import { lookup, Resolver } from 'node:dns/promises';
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

/** What is said of a name that has no address, and where there is no name server at all. */
const certain = new Set(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED']);

class NoAddress extends Error {
  /** It was said at once, as against no name server having answered in time. */
  readonly isCertain: boolean;

  constructor(host: string, answers: readonly PromiseSettledResult<unknown>[]) {
    const codes = answers.map((each) => (each.status === 'rejected' ? codeOf(each.reason) : ''));
    super(`no address of ${host} is known (${[...new Set(codes)].join(', ')})`);
    this.isCertain = codes.every((code) => certain.has(code));
  }
}

type Answer = PromiseSettledResult<readonly string[]>;

async function settled(question: Promise<readonly string[]>): Promise<Answer> {
  const [answer] = await Promise.allSettled([question]);
  return answer;
}

function addressesIn(answer: Answer): readonly string[] {
  return answer.status === 'fulfilled' ? answer.value : [];
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export class NameServers {
  readonly #resolver = new Resolver({ timeout: tryMs, tries });
  #hosts = new Map<string, string[]>();
  #hostsChangedMs = -1;

  /** All addresses, IPv4 before IPv6; rejects when there are none. */
  async addressesOf(host: string): Promise<readonly string[]> {
    const known = (await this.#hostsNow()).get(host);
    if (known !== undefined) return known;
    const four = settled(this.#resolver.resolve4(host));
    const six = settled(this.#resolver.resolve6(host));
    const answer4 = await four;
    const known4 = addressesIn(answer4);
    // A name server that is silent about the one kind must not keep those waiting who have the other.
    const answer6 = await (known4.length === 0
      ? six
      : Promise.race([six, setTimeout(secondKindMs)]));
    const answers = answer6 === undefined ? [answer4] : [answer4, answer6];
    const addresses = answers.flatMap(addressesIn);
    if (addresses.length === 0) throw new NoAddress(host, answers);
    return addresses;
  }

  /** The names that an address has, which may be none; rejects when no name server says. */
  async namesOf(address: string): Promise<readonly string[]> {
    try {
      return await this.#resolver.reverse(address);
    } catch (error) {
      if (codeOf(error) === 'ENOTFOUND' || codeOf(error) === 'ENODATA') return [];
      throw error;
    }
  }

  /**
   * As `addressesOf`, for names that the operator has chosen: one that no name server has is looked up by the
   * system, which knows search domains and other directories. A silent name server holds no thread.
   */
  async addressesOfOrigin(host: string): Promise<readonly string[]> {
    try {
      return await this.addressesOf(host);
    } catch (error) {
      if (!(error instanceof NoAddress) || !error.isCertain) throw error;
      const found = await lookup(host, { all: true });
      return found.map(({ address }) => address);
    }
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
