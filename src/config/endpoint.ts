/**
 * The values of PROXY.CFG that name places: addresses to listen on, origins, host names, networks and
 * the two forms of NeverBlock. Names are checked for their form (RFC 1123 §2.1, with `_` let pass,
 * because sites use it) and never looked up.
 */
import { isIP, isIPv4 } from 'node:net';
import { normalizeAddress, parseCidr } from './address-list.ts';
import { shown } from './fault.ts';
import type { HostPort, OriginAddress } from './shape.ts';
import { accept, type Parsed, refuse, scalar, type ValueType } from './value.ts';

/** Where NeverBlock lets requests pass: from a network, or below a path. */
export type NeverBlockPart =
  | { readonly kind: 'address'; readonly cidr: string }
  | { readonly kind: 'path'; readonly prefix: string };

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

function isHostName(text: string): boolean {
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  // A last label of digits alone is a mistyped IPv4 address, not a name.
  return text.length <= 253 && labels.every((part) => label.test(part)) && !/^[0-9]+$/.test(last);
}

/** A host as PROXY.CFG writes it, IPv6 in brackets; lower-case and without brackets, or undefined. */
function readHost(written: string): string | undefined {
  const text = written.toLowerCase();
  if (text.startsWith('[') && text.endsWith(']')) {
    const inside = text.slice(1, -1);
    return isIP(inside) === 6 && !inside.includes('%') ? normalizeAddress(inside) : undefined;
  }
  return isIPv4(text) || isHostName(text) ? text : undefined;
}

/** Writes an address as PROXY.CFG does: `HOST:PORT`, IPv6 in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

const withPort = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/;

function readHostPort(text: string, portDefault: number | undefined): Parsed<HostPort> {
  const parts = withPort.exec(text);
  if (parts === null) {
    const hint = isIP(text) === 6 || text.split(':').length > 2 ? '; IPv6 stands in brackets' : '';
    return refuse(`${shown(text)} is not HOST:PORT${hint}, as in [::1]:8080`);
  }
  const written = parts[1] ?? '';
  const digits = parts[2] ?? (portDefault === undefined ? '' : String(portDefault));
  const host = readHost(written);
  if (host === undefined) {
    const hint = written === '*' || written === '' ? '; every address is 0.0.0.0 or [::]' : '';
    return refuse(`${shown(text)} does not begin with a host name or an IP address${hint}`);
  }
  if (digits === '') return refuse(`${shown(text)} has no port; write HOST:PORT`);
  const port = /^[0-9]+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(port >= 1 && port <= 65535)) {
    return refuse(`the port in ${shown(text)} is out of range; allowed is 1-65535`);
  }
  return accept({ host, port });
}

/** An address to listen on. */
export const listenAddress: ValueType<HostPort> = scalar('host:port', (text) =>
  readHostPort(text, undefined),
);

/** One address to listen on, or nothing. */
export const optionalListenAddress: ValueType<HostPort | undefined> = scalar(
  'host:port, or empty',
  (text) => (text === '' ? accept(undefined) : readHostPort(text, undefined)),
);

/** The port that receivers of SNMP traps listen on (RFC 3417 §3.1). */
const trapPort = 162;

/** A receiver of SNMP traps; without a port, the usual one. */
export const trapSink: ValueType<HostPort> = scalar('host:port', (text) =>
  readHostPort(text, trapPort),
);

const url = /^(https?):\/\/(.*)$/i;

const weightMax = 256;
const connectionsMax = 65_535;

type UrlOrigin = Extract<OriginAddress, { kind: 'url' }>;
type OriginOptions = Pick<UrlOrigin, 'weight' | 'isBackup' | 'connectionsMax'>;

/** What stands behind an origin's URL; case does not matter. */
function readOriginOptions(words: readonly string[]): Parsed<OriginOptions> {
  let options: OriginOptions = { weight: 1, isBackup: false, connectionsMax: undefined };
  const seen = new Set<string>();
  for (const word of words) {
    const [, name = '', digits] = /^([a-z]+)(?:=([0-9]{1,6}))?$/.exec(word.toLowerCase()) ?? [];
    if (seen.has(name)) return refuse(`${name} stands twice behind the same URL`);
    seen.add(name);
    const value = Number(digits);
    if (name === 'backup' && digits === undefined) options = { ...options, isBackup: true };
    else if (name === 'weight' && value >= 1 && value <= weightMax) {
      options = { ...options, weight: value };
    } else if (name === 'maxconn' && value >= 1 && value <= connectionsMax) {
      options = { ...options, connectionsMax: value };
    } else {
      return refuse(
        `${shown(word)} cannot stand behind a URL; allowed are weight=1 to weight=${weightMax}, maxconn=1 to maxconn=${connectionsMax} and backup`,
      );
    }
  }
  return accept(options);
}

/** An origin server, `demo` or `dynamic`. */
export const originAddress: ValueType<OriginAddress> = scalar('URL, demo or dynamic', (text) => {
  const [place = '', ...words] = text.split(/[ \t]+/);
  const word = place.toLowerCase();
  if (word === 'demo' || word === 'dynamic') {
    return words.length === 0
      ? accept({ kind: word })
      : refuse(`${shown(words.join(' '))} cannot stand behind ${word}`);
  }
  const parts = url.exec(place);
  if (parts === null) {
    return refuse(
      `${shown(text)} is neither http://HOST:PORT nor https://HOST:PORT nor demo nor dynamic`,
    );
  }
  const protocol = (parts[1] ?? '').toLowerCase() === 'https' ? 'https' : 'http';
  const authority = (parts[2] ?? '').replace(/\/$/, '');
  if (authority.includes('@')) {
    return refuse(`${shown(place)} has a user name, which is not sent to an origin`);
  }
  if (/[/?#]/.test(authority)) {
    return refuse(`${shown(place)} has a path or a query; an origin is only http://HOST:PORT`);
  }
  const address = readHostPort(authority, protocol === 'https' ? 443 : 80);
  if (!address.ok) return address;
  const options = readOriginOptions(words);
  if (!options.ok) return options;
  return accept({ kind: 'url', protocol, ...address.value, ...options.value });
});

/** A path with or without a query, as in a request line; may be empty. */
export const httpPath: ValueType<string> = scalar('path that begins with /, or empty', (text) =>
  text === '' || /^\/[\x21-\x7e]*$/.test(text)
    ? accept(text)
    : refuse(`${shown(text)}: a path begins with / and is printable ASCII without blanks`),
);

/** What can stand in a Host header; may be empty. */
export const headerHost: ValueType<string> = scalar('host, with or without a port', (text) => {
  if (text === '') return accept(text);
  const address = readHostPort(text, 80);
  return address.ok ? accept(text) : address;
});

/** A host name that certificates are made out to; may be empty. */
export const serverName: ValueType<string> = scalar('host name, or empty', (text) => {
  const name = text.toLowerCase();
  return name === '' || isHostName(name)
    ? accept(name)
    : refuse(`${shown(text)} is not a host name`);
});

/** One status or a range of them, both ends included. */
export const statusRange: ValueType<readonly [first: number, last: number]> = scalar(
  'status or range of statuses',
  (text) => {
    const [, from = '', to = from] = /^(\d{3})(?:\s*-\s*(\d{3}))?$/.exec(text) ?? [];
    const [first, last] = [Number(from), Number(to)];
    return from !== '' && first >= 200 && last <= 599 && first <= last
      ? accept([first, last])
      : refuse(`${shown(text)} is no status from 200 to 599, nor two of them as in 200-299`);
  },
);

/** A path, or with a `*` at its end all that begin so. */
export const pathPattern: ValueType<string> = scalar('path', (text) =>
  /^\/[\x21-\x7e\x80-\xff]*$/.test(text) && !/[?#]|\*./.test(text)
    ? accept(text)
    : refuse(
        `${shown(text)}: a path begins with / and holds no blank, ? or #, and a * at its end alone`,
      ),
);

/** The name of a domain, without a `*.`. */
export const domainName: ValueType<string> = scalar('domain name', (written) => {
  const name = written.toLowerCase();
  return isHostName(name) && name.includes('.')
    ? accept(name)
    : refuse(`${shown(written)} is not a domain name`);
});

/** A host name that an accelerator answers for; `*.` stands for one or more leading labels. */
export const hostPattern: ValueType<string> = scalar('host name', (written) => {
  const text = written.toLowerCase();
  if (text === '*') return refuse('`*` is not needed: an empty Hosts means every host');
  if (isHostName(text.startsWith('*.') ? text.slice(2) : text) || isIPv4(text)) return accept(text);
  const address = text.startsWith('[') ? readHost(text) : undefined;
  if (address !== undefined) return accept(`[${address}]`);
  const hint = /:[0-9]+$/.test(text) ? '; a port is not part of it' : '';
  return refuse(`${shown(written)} is not a host name${hint}`);
});

/** A network, kept as written. */
export const network: ValueType<string> = scalar('CIDR', (text) => {
  const parsed = parseCidr(text);
  return parsed.ok ? accept(text) : refuse(`${shown(text)}: ${parsed.message}`);
});

/** A network, or `path:` and the beginning of a path. */
export const neverBlockPart: ValueType<NeverBlockPart> = scalar('CIDR or path:/PREFIX', (text) => {
  if (!/^path:/i.test(text)) {
    const parsed = parseCidr(text);
    if (parsed.ok) return accept({ kind: 'address', cidr: text });
    return refuse(`${shown(text)} is neither a CIDR, as in 10.0.0.0/8, nor path:/PREFIX`);
  }
  const prefix = text.slice('path:'.length);
  return /^\/[\x21-\x7e\x80-\xff]*$/.test(prefix) && !/[?#]/.test(prefix)
    ? accept({ kind: 'path', prefix })
    : refuse(`${shown(text)}: a path begins with / and holds no blank, ? or #`);
});
