/**
 * THE table of settings: every section and key of PROXY.CFG with its type, range, default and prose.
 * Reading, `wormgate check`, the shipped config/PROXY.CFG and docs/settings.md follow it, and cannot
 * disagree. The long sections have files of their own: virus-rows.ts, limit-rows.ts and others.
 */
import { cacheSection } from './cache-rows.ts';
import {
  hostPattern,
  listenAddress,
  network,
  optionalListenAddress,
  originAddress,
  serverName,
} from './endpoint.ts';
import { eventsSection } from './event-rows.ts';
import { fleetSection } from './fleet-rows.ts';
import { limitsSection } from './limit-rows.ts';
import { originRows } from './origin-rows.ts';
import { snmpSection } from './snmp-rows.ts';
import { sourcesSection } from './source-rows.ts';
import { type AnySection, defineSection } from './table.ts';
import { egressSection, throttleSection } from './throttle-rows.ts';
import { tlsRows } from './tls-rows.ts';
import { tracingSection } from './tracing-rows.ts';
import { choice, flag, integer, listOf, logFileName, token } from './value.ts';
import { virusSection } from './virus-rows.ts';

/** `[Extra Configuration]`. */
export const extraSection = defineSection({
  name: 'Extra Configuration',
  help: 'The switches of Virus Pattern Recognition and of the fast path.',
  rows: {
    ScanVirusPatterns: {
      type: flag,
      default: '0',
      shipped: '1',
      live: true,
      help: 'Whether requests are compared with the virus patterns. At 0 nothing is scanned, every request is forwarded, and every console command but `virus origins` and those of the cache answers `virus command not found`.',
    },
    FastPath: {
      type: flag,
      default: '1',
      live: true,
      help: 'Whether ordinary requests are served straight from the socket, at a fifth of the cost. At 0 every new connection takes the complete way through the web framework; what clients and origins see is the same. A switch for comparing the two.',
    },
  },
});

/** `[Accelerator NAME]`. */
export const acceleratorSection = defineSection({
  name: 'Accelerator',
  named: true,
  shippedWord: 'demo',
  help: 'A site that wormgate stands in front of; at least one is needed. NAME is a word of your own choice, different for each accelerator. Accelerators may share a Listen address if their Hosts tell them apart.',
  rows: {
    Listen: {
      type: listOf(listenAddress, 'comma list of host:port'),
      default: '',
      defaultNote: 'none, it or ListenTls must be given',
      shipped: '127.0.0.1:8080',
      example: '0.0.0.0:80, [::]:80',
      live: true,
      help: 'Where clients connect to in the clear. 0.0.0.0 stands for every IPv4 address of the machine and [::] for every IPv6 address.',
    },
    Origin: {
      type: listOf(
        originAddress,
        'comma list of http:// and https:// URLs without a path, each with weight=N, maxconn=N and backup if wanted, or demo, or dynamic',
      ),
      default: '',
      defaultNote: 'none, it must be given',
      shipped: 'demo',
      example: 'http://10.0.0.1:8000 weight=3, http://10.0.0.2:8000, http://10.0.0.3:8000 backup',
      live: true,
      required: true,
      help: 'The web server, or several that serve the same site. Behind a URL may stand, with blanks between: weight=N (1-256, by default 1), its share of the requests; maxconn=N, how many requests it is sent at once, if less than MaxOriginConnections; backup: it is asked only while none of the others works. demo is a small site built into wormgate, for trying it out. dynamic, which stands alone and needs Hosts, is the host that a request names itself: each is a new host for the virus throttle, and requests wait for their host or are answered 503.',
    },
    ...originRows,
    OriginPort: {
      type: integer({ min: 1, max: 65_535 }, 'port'),
      default: '80',
      live: true,
      help: 'With Origin=dynamic: the port that every host is connected to.',
    },
    AllowPrivate: {
      type: flag,
      default: '0',
      live: true,
      help: 'With Origin=dynamic: whether hosts may have private, loopback and link-local addresses. Looked at after the name is resolved. Without it, whoever has a name within Hosts pointed to such an address gets 403.',
    },
    Hosts: {
      type: listOf(hostPattern, 'comma list of host names'),
      default: '',
      defaultNote: 'empty: every host',
      example: 'www.example.com, *.example.com',
      live: true,
      help: 'The host names that this accelerator answers for, without ports. *.example.com stands for every name that ends in .example.com. A request for a host that no accelerator on its address claims is answered 421.',
    },
    TrustedProxies: {
      type: listOf(network, 'comma list of CIDRs'),
      default: '',
      defaultNote: 'empty: none',
      example: '10.0.0.0/8, 2001:db8::/32',
      live: true,
      help: 'The load balancers and CDNs in front of wormgate. Only their X-Forwarded-For and Forwarded headers are believed, and their connections are never closed because of a virus request, which is answered 400 there.',
    },
    ...tlsRows,
    Cache: {
      type: flag,
      default: '1',
      live: true,
      help: 'Whether answers of this site are stored and served again, as [Cache] and the origin say.',
    },
  },
});

/** `[Admin]`. */
export const adminSection = defineSection({
  name: 'Admin',
  help: 'The HTTP server for the operator.',
  rows: {
    Listen: {
      type: optionalListenAddress,
      default: '127.0.0.1:8081',
      shipped: '127.0.0.1:8081',
      live: true,
      help: 'Where it listens; empty turns it off. It must not be an address of an accelerator. On an address other than loopback a Token is needed.',
    },
    Hosts: {
      type: listOf(serverName, 'comma list of host names'),
      default: '',
      defaultNote: 'empty: addresses and localhost alone',
      example: 'wormgate.example.com',
      live: true,
      help: 'Names by which a browser may call the admin server, beside addresses and localhost. Others are refused, because a foreign page could have made them point here (DNS rebinding). Clients that present the Token as a header are not bound by it.',
    },
    SessionHours: {
      type: integer({ min: 1, max: 720 }, 'hours'),
      default: '12',
      live: true,
      help: 'How long somebody who has logged in to the web console with the Token stays so.',
    },
    Token: {
      type: token,
      default: '',
      defaultNote: 'empty: none',
      example: 'a-long-random-word',
      live: true,
      help: 'The secret that a client of the admin server must present, as `Authorization: Bearer TOKEN`. It may be empty on loopback only. Anyone who can read this file can read it.',
    },
  },
});

/** `[Log]`. */
export const logSection = defineSection({
  name: 'Log',
  help: 'What is logged, and where. Relative names live in the data folder. After SIGHUP the files are opened anew, so that they can be rotated by renaming.',
  rows: {
    LogRequests: {
      type: choice('all', 'blocked'),
      default: 'all',
      live: true,
      help: 'all logs every request. blocked logs only slips, drops and errors.',
    },
    ProxyLog: {
      type: logFileName,
      default: 'PROXY.LOG',
      live: true,
      help: 'The log of requests, in the common log format; a blocked one ends in the reason.',
    },
    ThrottleLog: {
      type: logFileName,
      default: 'hp-vt.log',
      live: true,
      help: 'The log of the virus throttle, in the format of the paper.',
    },
    ConsoleLog: {
      type: logFileName,
      default: 'PROXY.LOG',
      defaultNote: 'the same as ProxyLog',
      live: true,
      help: 'The log of console commands and their replies.',
    },
  },
});

export {
  cacheSection,
  egressSection,
  eventsSection,
  fleetSection,
  limitsSection,
  snmpSection,
  sourcesSection,
  throttleSection,
  tracingSection,
  virusSection,
};

/** Every section, in the order of the documents. */
export const settingsTable: readonly AnySection[] = [
  extraSection,
  virusSection,
  sourcesSection,
  acceleratorSection,
  cacheSection,
  throttleSection,
  egressSection,
  snmpSection,
  adminSection,
  logSection,
  eventsSection,
  tracingSection,
  fleetSection,
  limitsSection,
];
