/**
 * What counts as one source: an IPv4 address, or the /64 of an IPv6 address, because whoever has one
 * address there has them all (RFC 4291 §2.5.4, RFC 6177). Behind NAT64 (64:ff9b::/96, RFC 6052) the last
 * bits are the client. Pure.
 */

const groupCount = 8;
const networkGroups = 4;
const nat64 = '64:ff9b::';

/** The key of an address in the spelling of the log; text that is no address is its own key. */
export function sourceKey(client: string): string {
  return client === '::1' || client.startsWith(nat64) ? client : networkKey(client);
}

/** The same of an address that is never somebody else's: of IPv6 always the /64. */
export function networkKey(client: string): string {
  if (!client.includes(':')) return client;
  const [head = '', tail] = client.split('::', 2);
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const last = groupsOf(tail);
    while (groups.length + last.length < groupCount) groups.push('0');
    groups.push(...last);
  }
  if (groups.length !== groupCount) return client;
  const network = groups.slice(0, networkGroups);
  while (network.at(-1) === '0') network.pop();
  return `${network.join(':')}::/64`;
}

/** The groups of one side of `::`; a last part in IPv4's notation is two of them. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
