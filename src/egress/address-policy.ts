/**
 * Which addresses servers may be connected to through the gateway. Without AllowPrivate none that is
 * private, of this machine or of this link, nor what cloud platforms answer metadata on: a server that
 * was talked into asking for them (SSRF) gets nothing. To be asked after a name was resolved, and the
 * address that was allowed is the one to connect to. Pure.
 */
import { BlockList, isIP } from 'node:net';
import { normalizeAddress } from '../config/address-list.ts';

/** RFC 6890 and its registry: what is not for the public Internet, metadata addresses included. */
const special = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4'],
  ...['240.0.0.0/4', '::/127', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  // Documentation, discarding, benchmarking, and what was once given out for other uses.
  ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '192.88.99.0/24', '100::/64'],
  ...['2001:db8::/32', '2001:10::/28', '2001:20::/28', '2001:2::/48', '3fff::/20', '5f00::/16'],
  // A public address on which a cloud platform answers its machines alone.
  '168.63.129.16/32',
  // Addresses that carry an IPv4 address, of whatever kind: translation and tunnels.
  ...['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32', '::/96', '::ffff:0:0:0/96'],
];

const privateList = new BlockList();
for (const network of special) {
  const [address = '', prefix = ''] = network.split('/');
  privateList.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Whether an IP address is private, loopback, link-local or otherwise not for the public Internet. */
export function isPrivateAddress(address: string): boolean {
  const plain = normalizeAddress(address);
  const family = isIP(plain);
  if (family === 0) return true;
  return privateList.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** The first address that may be connected to; undefined: none. */
export function firstAllowed(addresses: readonly string[], allowPrivate: boolean) {
  return addresses.find((address) => allowPrivate || !isPrivateAddress(address));
}
