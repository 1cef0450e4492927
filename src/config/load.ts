/**
 * From a PROXY.CFG to Settings, or to every fault in it at once. Reads the file and makes sure that
 * its PatternFiles can be read; opens nothing else and remembers nothing, so a reload is a second call
 * whose result is swapped in whole.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readCacheSettings } from './cache-settings.ts';
import { type ClaimingAccelerator, type ClaimingServer, checkClaims } from './claims.ts';
import { readEventSettings } from './event-settings.ts';
import { type ConfigFault, describeFileError, type Fault } from './fault.ts';
import { readFleetSettings } from './fleet-settings.ts';
import { parseIni } from './ini.ts';
import { type AcceleratorSection, type Layout, layOut } from './layout.ts';
import { readOriginSettings } from './origin-settings.ts';
import { SectionReader } from './section-reader.ts';
import {
  acceleratorSection,
  adminSection,
  cacheSection,
  egressSection,
  eventsSection,
  extraSection,
  fleetSection,
  limitsSection,
  logSection,
  snmpSection,
  sourcesSection,
  throttleSection,
  tracingSection,
  virusSection,
} from './settings.ts';
import type {
  AdminSettings,
  HostPort,
  LimitSettings,
  LogSettings,
  OriginAddress,
  Settings,
} from './shape.ts';
import { readSnmpSettings } from './snmp-settings.ts';
import { readSourceSettings } from './source-settings.ts';
import type { AnySection, SectionTable } from './table.ts';
import { readEgressSettings, readThrottleSettings } from './throttle-settings.ts';
import {
  type AcceleratorReader,
  type AgreeingAccelerator,
  checkAgreement,
  readProxyProtocol,
  readTlsSettings,
  type SectionSources,
} from './tls-settings.ts';
import { readTracingSettings } from './tracing-settings.ts';
import { readVirusSettings } from './virus-settings.ts';
import { type WrittenSetting, writtenSettings } from './written.ts';

const hourMs = 3_600_000;

export { type ConfigFault, formatFault, formatWarning } from './fault.ts';
export { restartOnlyDifferences } from './restart.ts';

/** A file without faults. */
export interface Configuration {
  readonly settings: Settings;
  /** What the file says, key by key. */
  readonly written: readonly WrittenSetting[];
  /** What is worth a word, such as a certificate that has expired. */
  readonly warnings: readonly ConfigFault[];
}

/** The settings, or everything that keeps the file from being used, in the order of its lines. */
export type Loaded =
  | (Configuration & { readonly ok: true })
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/** Gives a file's bytes, or throws as `readFileSync` does. */
export type ReadFile = (file: string) => Uint8Array;

const secondMs = 1000;

class Assembly {
  readonly #layout: Layout;
  readonly #report: (fault: Fault) => void;

  constructor(layout: Layout, report: (fault: Fault) => void) {
    this.#layout = layout;
    this.#report = report;
  }

  #reader<V>(table: SectionTable<V> & AnySection): SectionReader<V> {
    const section = this.#layout.find(table.name);
    return new SectionReader<V>(table, {
      name: section?.name ?? table.name,
      section,
      report: this.#report,
    });
  }

  #accelerator(
    section: AcceleratorSection,
    sources: SectionSources,
  ): ClaimingAccelerator & AgreeingAccelerator {
    const reader = new SectionReader(acceleratorSection, {
      name: section.name,
      section,
      report: this.#report,
    });
    const origins = reader.get('Origin');
    const hosts = reader.get('Hosts');
    checkDynamic(reader, origins, hosts);
    const listen = reader.get('Listen');
    const trustedProxies = reader.get('TrustedProxies');
    const tls = readTlsSettings(reader, sources);
    const isListenKnown = !reader.isBad('Listen') && !reader.isBad('ListenTls');
    if (listen.length + tls.listen.length === 0 && isListenKnown) {
      reader.report(reader.lineOf('Listen'), 'Listen', 'it is required, or ListenTls');
    }
    return {
      settings: {
        name: section.word,
        listen,
        origins,
        originSettings: readOriginSettings(reader, sources),
        dynamicPort: reader.get('OriginPort'),
        dynamicPrivate: reader.get('AllowPrivate'),
        hosts,
        trustedProxies,
        tls,
        proxyProtocol: readProxyProtocol(reader, trustedProxies),
        cache: reader.get('Cache'),
      },
      section: section.name,
      listenLine: reader.lineOf('Listen'),
      listenTlsLine: reader.lineOf('ListenTls'),
      hostsLine: reader.has('Hosts') ? reader.lineOf('Hosts') : undefined,
      isComplete: isListenKnown && !reader.isBad('Hosts'),
      lineOf: (key) => reader.lineOf(key),
      report: (line, key, message) => reader.report(line, key, message),
    };
  }

  #log(): LogSettings {
    const reader = this.#reader(logSection);
    const proxyLog = reader.get('ProxyLog');
    const consoleLog = reader.get('ConsoleLog');
    return {
      requests: reader.get('LogRequests'),
      proxyLog,
      consoleLog: reader.has('ConsoleLog') ? consoleLog : proxyLog,
      throttleLog: reader.get('ThrottleLog'),
    };
  }

  #limits(): LimitSettings {
    const reader = this.#reader(limitsSection);
    const originTimeoutMs = reader.get('OriginTimeout') * secondMs;
    return {
      requestLineBytesMax: reader.get('MaxRequestLine'),
      headerBytesMax: reader.get('MaxHeaderBytes'),
      headerCountMax: reader.get('MaxHeaders'),
      requestBodyBytesMax: reader.get('MaxRequestBody'),
      headerTimeoutMs: reader.get('HeaderTimeout') * secondMs,
      bodyTimeoutMs: reader.get('BodyTimeout') * secondMs,
      keepAliveTimeoutMs: reader.get('KeepAliveTimeout') * secondMs,
      sendTimeoutMs: reader.get('SendTimeout') * secondMs,
      connectTimeoutMs: reader.get('ConnectTimeout') * secondMs,
      originTimeoutMs,
      originReadTimeoutMs: reader.get('OriginReadTimeout') * secondMs || originTimeoutMs,
      originIdleMs: reader.get('OriginKeepAlive') * secondMs,
      upgradeTimeoutMs: reader.get('UpgradeTimeout') * secondMs,
      tlsHandshakeTimeoutMs: reader.get('TlsHandshakeTimeout') * secondMs,
      tlsHandshakesMax: reader.get('MaxTlsHandshakes'),
      h2StreamsMax: reader.get('MaxH2Streams'),
      h2HeaderBytesMax: reader.get('MaxH2HeaderBytes'),
      h2ResetsMax: reader.get('MaxH2Resets'),
      h2SessionMemoryMiB: reader.get('MaxH2SessionMemory'),
      connectionsMax: reader.get('MaxConnections'),
      originConnectionsMax: reader.get('MaxOriginConnections'),
      originQueueMax: reader.get('MaxOriginQueue'),
      originTriesMax: reader.get('MaxOriginTries'),
      originRetryMs: reader.get('OriginRetryTimeout') * secondMs,
      drainMs: reader.get('DrainSeconds') * secondMs,
      logBacklogBytesMax: reader.get('MaxLogBacklog'),
      consoleLineBytesMax: reader.get('MaxConsoleLine'),
      consoleClientsMax: reader.get('MaxConsoleClients'),
      journalBytesMax: reader.get('MaxJournalBytes'),
      distributionBytesMax: reader.get('MaxDistributionTable'),
      servedMemoryBytesMax: reader.get('MaxServedMemory'),
      suspectQueueMax: reader.get('MaxSuspectQueue'),
      keywordCheckTimeoutMs: reader.get('KeywordCheckTimeout') * secondMs,
      egressConnectionsMax: reader.get('MaxEgressConnections'),
      egressSourceConnectionsMax: reader.get('MaxEgressSourceConnections'),
      egressSourcesMax: reader.get('MaxEgressSources'),
      egressLogLinesMax: reader.get('MaxEgressLogLines'),
      egressIdleMs: reader.get('EgressIdleTimeout') * secondMs,
      dynamicOriginsMax: reader.get('MaxDynamicOrigins'),
      nameLifetimeMs: reader.get('NameLifetime') * secondMs,
      nameLookupsMax: reader.get('MaxNameLookups'),
      nameTimeoutMs: reader.get('NameTimeout') * secondMs,
    };
  }

  build(file: string, sources: SectionSources): Settings {
    const { folder, readFile } = sources;
    const accelerators = this.#layout.accelerators.map((section) =>
      this.#accelerator(section, sources),
    );
    checkAgreement(accelerators.filter((accelerator) => accelerator.isComplete));
    const adminReader = this.#reader(adminSection);
    const admin: AdminSettings = {
      listen: adminReader.get('Listen'),
      token: adminReader.get('Token'),
      hosts: adminReader.get('Hosts').filter((host) => host !== ''),
      sessionMs: adminReader.get('SessionHours') * hourMs,
    };
    const egressReader = this.#reader(egressSection);
    const egress = readEgressSettings(egressReader);
    checkClaims(
      accelerators,
      {
        ...claimOf(adminReader, admin),
        token: adminReader.isBad('Token') ? undefined : admin.token,
      },
      claimOf(egressReader, egress),
    );
    const extra = this.#reader(extraSection);
    const log = this.#log();
    return {
      file,
      scanVirusPatterns: extra.get('ScanVirusPatterns'),
      fastPath: extra.get('FastPath'),
      virus: readVirusSettings(this.#reader(virusSection), folder, readFile),
      sources: readSourceSettings(this.#reader(sourcesSection)),
      accelerators: accelerators.map(({ settings }) => settings),
      cache: readCacheSettings(this.#reader(cacheSection)),
      throttle: readThrottleSettings(this.#reader(throttleSection), folder, readFile),
      egress,
      snmp: readSnmpSettings(this.#reader(snmpSection)),
      limits: this.#limits(),
      admin,
      log,
      events: readEventSettings(this.#reader(eventsSection), log),
      tracing: readTracingSettings(this.#reader(tracingSection)),
      fleet: readFleetSettings(this.#reader(fleetSection), sources),
    };
  }
}

/**
 * Reads and checks `file`. An unreadable file is one fault with line 0, which `formatFault` prints as
 * `FILE: cannot be read: …`. `nowMs` tells which certificates have expired.
 */
export function loadSettings(
  file: string,
  readFile: ReadFile = readFileSync,
  nowMs = Date.now(),
): Loaded {
  const faults: Fault[] = [];
  const failed = (): Loaded => ({
    ok: false,
    faults: faults.map((fault) => ({ ...fault, file })).sort((a, b) => a.line - b.line),
  });

  let bytes: Uint8Array;
  try {
    bytes = readFile(file);
  } catch (error) {
    const message = `cannot be read: ${describeFileError(error)}`;
    faults.push({ line: 0, section: '', key: '', message });
    return failed();
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    const message = 'cannot be read: it is UTF-16; save it as UTF-8';
    faults.push({ line: 0, section: '', key: '', message });
    return failed();
  }

  const ini = parseIni(Buffer.from(bytes).toString('latin1'));
  faults.push(...ini.faults);
  const report = (fault: Fault) => faults.push(fault);
  const warnings: Fault[] = [];
  const layout = layOut(ini, report);
  const settings = new Assembly(layout, report).build(file, {
    folder: dirname(resolve(file)),
    readFile,
    nowMs,
    warn: (warning) => warnings.push(warning),
  });
  if (faults.length > 0) return failed();
  const written = writtenSettings(layout);
  return { ok: true, settings, written, warnings: warnings.map((each) => ({ ...each, file })) };
}

/** The claim of a server that has a section of its own. */
function claimOf<V extends { readonly Listen: HostPort | undefined }>(
  reader: SectionReader<V>,
  { listen }: { readonly listen: HostPort | undefined },
): ClaimingServer {
  return {
    listen: reader.isBad('Listen') ? undefined : listen,
    listenLine: reader.lineOf('Listen'),
    report: (line, key, message) => reader.report(line, key, message),
  };
}

/** A dynamic origin cannot be one of several, and needs Hosts. */
function checkDynamic(
  reader: AcceleratorReader,
  origins: readonly OriginAddress[],
  hosts: readonly string[],
): void {
  if (!origins.some(({ kind }) => kind === 'dynamic')) return;
  const report = (message: string) => reader.report(reader.lineOf('Origin'), 'Origin', message);
  if (origins.length > 1) report('dynamic stands alone');
  // Without them anybody could have us connect to any host there is.
  if (hosts.length === 0 && !reader.isBad('Hosts')) report('dynamic needs Hosts');
}
