/** The rows of `[Accelerator NAME]` about TLS, HTTP/2 and the PROXY protocol. */
import { listenAddress } from './endpoint.ts';
import { choice, fileName, flag, integer, listOf, passphrase } from './value.ts';

/** In seconds: two years, which is what preload lists ask for. */
const hstsSecondsMax = 63_072_000;

export const tlsRows = {
  ListenTls: {
    type: listOf(listenAddress, 'comma list of host:port'),
    default: '',
    defaultNote: 'empty: none',
    example: '0.0.0.0:443, [::]:443',
    live: true,
    help: 'Where clients connect to over TLS, beside Listen, which may then be empty. An address is either in Listen or in ListenTls. Accelerators may share one if their Hosts tell them apart; TlsMinVersion, TlsCiphers and Http2 must then be the same, because they are settled before a name is known.',
  },
  Certificate: {
    type: listOf(fileName, 'comma list of PEM files'),
    default: '',
    defaultNote: 'none, ListenTls needs one',
    example: 'example.com/fullchain.pem',
    live: true,
    help: 'The certificates for ListenTls, each followed by its chain. Relative names start from the folder of PROXY.CFG. Which one a client gets is decided by the name that it asks for (SNI) and the names in the certificates, wildcards included; without a name, or for one that none has, it is the first one of the first accelerator on the address. Changed files are taken over by themselves, or on SIGHUP, and connections stay; files that cannot be used are refused, and the old certificates stay in force.',
  },
  CertificateKey: {
    type: listOf(fileName, 'comma list of PEM files'),
    default: '',
    defaultNote: 'none, ListenTls needs one',
    example: 'example.com/privkey.pem',
    live: true,
    help: 'The private keys, as many and in the same order. They must not be protected by a passphrase.',
  },
  TlsMinVersion: {
    type: choice('1.2', '1.3'),
    default: '1.2',
    live: true,
    help: 'The oldest version of TLS that is spoken; the newest is 1.3.',
  },
  TlsCiphers: {
    type: passphrase,
    default: '',
    defaultNote: 'empty: those with forward secrecy and authenticated encryption',
    example: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    live: true,
    help: 'The cipher suites that are allowed, in the notation of OpenSSL, those of TLS 1.3 included. If none of TLS 1.3 is named, all of them stay.',
  },
  Http2: {
    type: flag,
    default: '1',
    live: true,
    help: 'Whether clients of ListenTls may choose HTTP/2 (ALPN h2). At 0 they speak HTTP/1.1.',
  },
  HstsSeconds: {
    type: integer({ min: 0, max: hstsSecondsMax }, 'seconds'),
    default: '0',
    live: true,
    help: 'How long browsers are to come over TLS only (Strict-Transport-Security), on answers over TLS that have no such header of the origin. 0 sends none. It cannot be taken back before that time is over: begin with 300.',
  },
  HstsIncludeSubdomains: {
    type: flag,
    default: '0',
    live: true,
    help: 'Whether that holds for all names below as well.',
  },
  RedirectToTls: {
    type: flag,
    default: '0',
    live: true,
    help: 'Whether requests at Listen are answered with a redirect to https: 301 for GET and HEAD, 308 for others. Worms are screened first. A request that a trusted proxy received over https (X-Forwarded-Proto) is not redirected.',
  },
  RedirectPort: {
    type: integer({ min: 0, max: 65_535 }, 'port'),
    default: '0',
    defaultNote: '0: the port of ListenTls',
    live: true,
    help: 'The port that redirects lead to, where it is not the one that wormgate itself listens on.',
  },
  ProxyProtocol: {
    type: flag,
    default: '0',
    live: true,
    help: 'Whether every connection begins with a PROXY protocol header, version 1 or 2, before TLS. The address in it counts as the peer from then on. Only peers in TrustedProxies may send one, and connections of others, or without one, are closed. It must be the same for all accelerators on an address.',
  },
} as const;
