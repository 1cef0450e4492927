/**
 * The shape of the settings in force: what PROXY.CFG means once it is read, checked and its defaults
 * filled in. Immutable; a reload makes a new one and swaps it whole.
 */

import type { EventKind } from './event-rows.ts';
import type { ParameterFault, ParameterValues } from './throttle-parameters.ts';
import type { ExportHeader } from './tracing-rows.ts';

/** A host and port to listen on or connect to. An IPv6 host has no brackets here. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * One origin server of an accelerator, the built-in demonstration site, or `dynamic`: the host that a
 * request names.
 */
export type OriginAddress =
  | {
      readonly kind: 'url';
      readonly protocol: 'http' | 'https';
      readonly host: string;
      readonly port: number;
      /** Its share of the requests, as against the others' weights; ≥ 1. */
      readonly weight: number;
      /** It is asked only while no other origin works. */
      readonly isBackup: boolean;
      /** How many requests it is sent at once; undefined: MaxOriginConnections alone decides. */
      readonly connectionsMax: number | undefined;
    }
  | { readonly kind: 'demo' }
  | { readonly kind: 'dynamic' };

/** Where a certificate and its private key are, absolute paths. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A certificate that can be used, as it was read. */
export interface Certificate extends CertificateFiles {
  /** PEM: the certificate and what it was signed with. */
  readonly chain: Buffer;
  /** PEM. */
  readonly key: Buffer;
  /** `rsa`, `ec` and the like. */
  readonly keyType: string;
  /** The host names that it is for, lower case, `*.` wildcards included. */
  readonly names: readonly string[];
}

/** What an accelerator has to do with TLS. */
export interface TlsSettings {
  readonly listen: readonly HostPort[];
  readonly certificates: readonly Certificate[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** In the notation of OpenSSL; empty: modern ones. */
  readonly ciphers: string;
  readonly http2: boolean;
  /** The value of Strict-Transport-Security; empty: none. */
  readonly hsts: string;
  /** The port that plain requests are redirected to; undefined: they are not. */
  readonly redirectPort: number | undefined;
}

/** How origins are checked. */
export interface HealthCheckSettings {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The Host header; empty: the origin's own. */
  readonly host: string;
  /** Both ends included. */
  readonly statuses: readonly (readonly [first: number, last: number])[];
  readonly rise: number;
  readonly fall: number;
}

/** TLS to origins; PEM texts. */
export interface OriginTlsSettings {
  readonly verify: boolean;
  /** Empty: the origin's host. */
  readonly serverName: string;
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** How an accelerator deals with its origins. */
export interface OriginSettings {
  readonly balance: 'roundrobin' | 'leastconn';
  /** 0: an origin is never left out. */
  readonly failuresMax: number;
  readonly downMs: number;
  readonly counts5xx: boolean;
  readonly slowStartMs: number;
  /** Undefined: no checks. */
  readonly check: HealthCheckSettings | undefined;
  readonly tls: OriginTlsSettings;
  readonly resolveMs: number;
}

/** `[Accelerator NAME]`: a site that we stand in front of. */
export interface AcceleratorSettings {
  readonly name: string;
  readonly listen: readonly HostPort[];
  readonly origins: readonly OriginAddress[];
  readonly originSettings: OriginSettings;
  /** With a dynamic origin: the port of every host, and whether private addresses are connected to. */
  readonly dynamicPort: number;
  readonly dynamicPrivate: boolean;
  /** Lower-case host names, `*.` wildcards allowed; empty: every host. */
  readonly hosts: readonly string[];
  /** CIDRs of the peers whose X-Forwarded-For and Forwarded are believed. */
  readonly trustedProxies: readonly string[];
  readonly tls: TlsSettings;
  /** Connections begin with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  /** Whether its answers are stored and served again. */
  readonly cache: boolean;
}

/** A pattern written into PROXY.CFG as `PatternN="bytes",origLength`. */
export interface ConfiguredPattern {
  /** At most patternSize bytes, escapes undone, not padded. */
  readonly bytes: Uint8Array;
  readonly origLength: number;
}

/** `[Virus Pattern Configuration]`. */
export interface VirusSettings {
  readonly patterns: readonly ConfiguredPattern[];
  readonly patternSize: number;
  readonly patternStartOffset: number;
  readonly autoUpdate: boolean;
  readonly hitThreshold: number;
  readonly refreshIntervalSeconds: number;
  readonly maxPatterns: number;
  readonly maxKeywords: number;
  /** Absolute paths. */
  readonly patternFiles: readonly string[];
  readonly action: 'slip' | 'drop';
  readonly mode: 'block' | 'detect';
  readonly normalizeRequests: boolean;
  readonly blockConfirmedKeywords: boolean;
  readonly autoUpdateAction: 'add' | 'propose';
  /** 0: learned patterns do not expire. */
  readonly learnedPatternMs: number;
  readonly servedMemoryMs: number;
  readonly maxLearnedPatterns: number;
  readonly maxProposedPatterns: number;
  /** CIDRs from NeverBlock. */
  readonly neverBlockAddresses: readonly string[];
  /** Path prefixes from NeverBlock, each beginning with `/`. */
  readonly neverBlockPaths: readonly string[];
}

/** `[Virus Sources]`. Times in milliseconds. */
export interface SourceSettings {
  readonly blocking: boolean;
  readonly missLimit: number;
  readonly missIntervalMs: number;
  readonly virusLimit: number;
  readonly blockMs: number;
  /** At least blockMs. */
  readonly blockMsMax: number;
  readonly sourcesMax: number;
  readonly missStatuses: readonly number[];
  /** Paths; a `*` at the end stands for anything. */
  readonly missExceptions: readonly string[];
  /** Domain names, lower case; empty: nobody is asked who he is. */
  readonly crawlers: readonly string[];
  readonly crawlerLookupsMax: number;
}

/** `[Limits]`: every bound and timer. Sizes in bytes, times in milliseconds. */
export interface LimitSettings {
  readonly requestLineBytesMax: number;
  readonly headerBytesMax: number;
  readonly headerCountMax: number;
  /** 0: no limit. */
  readonly requestBodyBytesMax: number;
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly originTimeoutMs: number;
  /** How long an origin may be silent within its answer. */
  readonly originReadTimeoutMs: number;
  /** How long a connection to an origin is kept idle; 0: not at all. */
  readonly originIdleMs: number;
  readonly upgradeTimeoutMs: number;
  readonly tlsHandshakeTimeoutMs: number;
  readonly tlsHandshakesMax: number;
  readonly h2StreamsMax: number;
  readonly h2HeaderBytesMax: number;
  readonly h2ResetsMax: number;
  readonly h2SessionMemoryMiB: number;
  readonly connectionsMax: number;
  readonly originConnectionsMax: number;
  readonly originQueueMax: number;
  /** How many origins one request is tried on, and for how long another try may begin. */
  readonly originTriesMax: number;
  readonly originRetryMs: number;
  readonly drainMs: number;
  readonly logBacklogBytesMax: number;
  readonly consoleLineBytesMax: number;
  readonly consoleClientsMax: number;
  readonly journalBytesMax: number;
  readonly distributionBytesMax: number;
  readonly servedMemoryBytesMax: number;
  readonly suspectQueueMax: number;
  readonly keywordCheckTimeoutMs: number;
  readonly egressConnectionsMax: number;
  readonly egressSourceConnectionsMax: number;
  readonly egressSourcesMax: number;
  /** Lines in PROXY.LOG for refused requests of one source, in a second. */
  readonly egressLogLinesMax: number;
  readonly egressIdleMs: number;
  readonly dynamicOriginsMax: number;
  readonly nameLifetimeMs: number;
  readonly nameLookupsMax: number;
  readonly nameTimeoutMs: number;
}

/** `[Cache]`. Sizes in bytes, times in milliseconds. */
export interface CacheSettings {
  readonly bytesMax: number;
  /** At most bytesMax. */
  readonly answerBytesMax: number;
  readonly answersMax: number;
  readonly variantsMax: number;
  readonly defaultTtlMs: number;
  /** 0-1. */
  readonly heuristicFraction: number;
  readonly heuristicMaxMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly ignoresClientNoCache: boolean;
  readonly sendsCacheStatus: boolean;
  /** CIDRs of the clients that may send PURGE. */
  readonly purgeAllow: readonly string[];
}

/** `[Virus Throttle]`. */
export interface ThrottleConfiguration {
  readonly enable: boolean;
  readonly parameters: ParameterValues;
  /** What was wrong with an hp-vt.conf; defaults stand in for it. */
  readonly faults: readonly ParameterFault[];
  /** The hp-vt.conf that was read, an absolute path. */
  readonly configFile: string | undefined;
  readonly action: 'log' | 'block';
  readonly blockMs: number;
}

/** `[Egress]`: undefined `listen` means off. */
export interface EgressConfiguration {
  readonly listen: HostPort | undefined;
  readonly allow: readonly string[];
  readonly allowPorts: readonly (readonly [first: number, last: number])[];
  readonly allowPrivate: boolean;
  readonly credentials: string;
}

/** How hash functions are named in `[SNMP]`. */
export type SnmpAuthProtocol = 'sha' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

/** Ciphers; the two of 256 bits differ in how the key is made longer (Blumenthal, Reeder). */
export type SnmpPrivProtocol = 'aes' | 'aes256b' | 'aes256r';

/** Who traps come from, and how that is proven. */
export type SnmpSender =
  | { readonly version: 'v2c'; readonly community: string }
  | {
      readonly version: 'v3';
      readonly user: string;
      /** Undefined: traps can be forged. */
      readonly auth: { readonly protocol: SnmpAuthProtocol; readonly key: string } | undefined;
      /** Undefined: traps can be read on the way. Never without `auth`. */
      readonly priv: { readonly protocol: SnmpPrivProtocol; readonly key: string } | undefined;
      /** In hex; undefined: one is derived. */
      readonly engineId: string | undefined;
    };

/** `[SNMP]`: no sinks means off. */
export interface SnmpSettings {
  readonly sinks: readonly HostPort[];
  readonly sender: SnmpSender;
}

/** `[Admin]`: undefined `listen` means off. */
export interface AdminSettings {
  readonly listen: HostPort | undefined;
  readonly token: string;
  /** Names by which it may be called, in lower case. */
  readonly hosts: readonly string[];
  readonly sessionMs: number;
}

/** `[Log]`: file names as written; relative ones live in the data folder. */
export interface LogSettings {
  readonly requests: 'all' | 'blocked';
  readonly proxyLog: string;
  readonly consoleLog: string;
  readonly throttleLog: string;
}

/** Where events are POSTed to; an empty `url` means nowhere. */
export interface WebhookSettings {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly queueMax: number;
  readonly batchMax: number;
}

/** `[Events]`. */
export interface EventSettings {
  /** As written; empty: none. */
  readonly logFile: string;
  readonly kinds: readonly EventKind[];
  /** Of each kind. */
  readonly perSecondMax: number;
  readonly webhook: WebhookSettings;
}

/** `[Tracing]`: an empty `url` means off. */
export interface TracingSettings {
  readonly url: string;
  /** Secrets. */
  readonly headers: readonly ExportHeader[];
  readonly serviceName: string;
  /** 0-1. */
  readonly sampleRatio: number;
  readonly perSecondMax: number;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly queueMax: number;
  readonly batchMax: number;
}

/** `[Fleet]`. */
export interface FleetSettings {
  /** 1: a single process. */
  readonly workers: number;
  readonly workerTimeoutMs: number;
  /** Undefined: no fleet. */
  readonly engine:
    | {
        readonly isTls: boolean;
        readonly host: string;
        readonly port: number;
        readonly database: number;
      }
    | undefined;
  /** Empty: the default user, no password. */
  readonly user: string;
  readonly password: string;
  /** PEM; undefined: the system's authorities. */
  readonly ca: string | undefined;
  readonly keyPrefix: string;
  readonly nodeName: string;
  readonly outboxMax: number;
  readonly talliesMax: number;
  readonly snapshotEvery: number;
  readonly timeoutMs: number;
}

export interface Settings {
  /** The file it was read from, as given. */
  readonly file: string;
  readonly scanVirusPatterns: boolean;
  /** Whether new connections begin on the fast path. */
  readonly fastPath: boolean;
  readonly virus: VirusSettings;
  readonly sources: SourceSettings;
  readonly accelerators: readonly AcceleratorSettings[];
  readonly cache: CacheSettings;
  readonly throttle: ThrottleConfiguration;
  readonly egress: EgressConfiguration;
  readonly snmp: SnmpSettings;
  readonly limits: LimitSettings;
  readonly admin: AdminSettings;
  readonly log: LogSettings;
  readonly events: EventSettings;
  readonly tracing: TracingSettings;
  readonly fleet: FleetSettings;
}
