/**
 * IP addresses and CIDRs: their grammar, one spelling for each address, and a list that answers
 * whether an address is in it. IPv4-mapped IPv6 (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is treated as
 * the IPv4 address it carries, because a dual-stack listener reports IPv4 clients so. Host names are
 * never looked up.
 */
import { BlockList, isIP, SocketAddress } from 'node:net';

/** A network: every address whose first `prefix` bits are those of `address`. */
export interface Cidr {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** 0-32 for IPv4, 0-128 for IPv6. */
  readonly prefix: number;
}

/** The network, or a sentence saying what is wrong with the text. */
export type ParsedCidr =
  | { readonly ok: true; readonly cidr: Cidr }
  | { readonly ok: false; readonly message: string };

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * The one spelling of an IP address: IPv6 compressed and in lower case without its zone, IPv4-mapped
 * IPv6 as IPv4. Text that is no IP address is returned as it is.
 */
export function normalizeAddress(address: string): string {
  const family = isIP(address);
  if (family !== 6) return address;
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  const spelled = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return mapped.exec(spelled)?.[1] ?? spelled;
}

/**
 * Reads `ADDRESS/PREFIX`, or a single address, which means all of its bits. Bits beyond the prefix
 * may be set. Host names, zones and prefixes out of range are refused.
 */
export function parseCidr(text: string): ParsedCidr {
  const slash = text.indexOf('/');
  const written = slash === -1 ? text : text.slice(0, slash);
  const family = written.includes('%') ? 0 : isIP(written);
  if (family === 0) {
    return { ok: false, message: 'an IP address or ADDRESS/PREFIX is needed, as in 10.0.0.0/8' };
  }
  const address = normalizeAddress(written);
  const isMapped = family === 6 && isIP(address) === 4;
  const prefixMin = isMapped ? 96 : 0;
  const prefixMax = family === 4 ? 32 : 128;
  const digits = slash === -1 ? String(prefixMax) : text.slice(slash + 1);
  const prefix = /^[0-9]{1,3}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(prefix >= prefixMin && prefix <= prefixMax)) {
    return { ok: false, message: `the prefix after the / must be ${prefixMin}-${prefixMax}` };
  }
  return isIP(address) === 4
    ? { ok: true, cidr: { family: 'ipv4', address, prefix: prefix - prefixMin } }
    : { ok: true, cidr: { family: 'ipv6', address, prefix } };
}

/** How many answers are kept; then all are forgotten at once. */
const knownMax = 1024;

/** A fixed set of networks. */
export class AddressList {
  // One list a family: in a shared one, ::/0 would hold the IPv4 addresses too.
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();
  readonly #isEmpty: boolean;
  /** Answers given before: the same few addresses are asked for again and again. */
  readonly #known = new Map<string, boolean>();

  /** `cidrs` have passed `parseCidr`; one that has not is a mistake of the caller's and throws. */
  constructor(cidrs: readonly string[]) {
    this.#isEmpty = cidrs.length === 0;
    for (const text of cidrs) {
      const parsed = parseCidr(text);
      if (!parsed.ok) throw new TypeError(`${text}: ${parsed.message}`);
      const { address, prefix, family } = parsed.cidr;
      const networks = family === 'ipv4' ? this.#ipv4 : this.#ipv6;
      networks.addSubnet(address, prefix, family);
    }
  }

  /** Whether the address is in one of the networks; text that is no IP address never is. */
  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const isListed = this.#check(address);
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(address, isListed);
    return isListed;
  }

  #check(address: string): boolean {
    const spelled = normalizeAddress(address);
    const family = isIP(spelled);
    if (family === 4) return this.#ipv4.check(spelled, 'ipv4');
    return family === 6 && this.#ipv6.check(spelled, 'ipv6');
  }
}
