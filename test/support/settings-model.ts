/** Random settings, and a rendering of them that shares nothing with the reader but the escapes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatHostPort } from '../../src/config/endpoint.ts';
import { quote } from '../../src/config/quoted.ts';
import type {
  AcceleratorSettings,
  ConfiguredPattern,
  EgressConfiguration,
  LimitSettings,
  OriginAddress,
  Settings,
  ThrottleConfiguration,
} from '../../src/config/shape.ts';
import { cacheModel, renderCache } from './cache-settings-model.ts';
import { eventModel, renderEvents } from './event-settings-model.ts';
import { fleetModel, renderFleet } from './fleet-settings-model.ts';
import { originModel, renderOrigin, renderOriginSettings } from './origin-model.ts';
import { renderSnmp, snmpModel } from './snmp-model.ts';
import { renderSources, sourceModel } from './source-settings-model.ts';
import { renderTls, tlsModel } from './tls-model.ts';
import { renderTracing, tracingModel } from './tracing-settings-model.ts';

export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const limitKeys = {
  requestLineBytesMax: ['MaxRequestLine', 256, 65_536, 1],
  headerBytesMax: ['MaxHeaderBytes', 1024, 262_144, 1],
  headerCountMax: ['MaxHeaders', 10, 2000, 1],
  requestBodyBytesMax: ['MaxRequestBody', 0, 1_099_511_627_776, 1],
  headerTimeoutMs: ['HeaderTimeout', 1, 3600, 1000],
  bodyTimeoutMs: ['BodyTimeout', 1, 3600, 1000],
  keepAliveTimeoutMs: ['KeepAliveTimeout', 1, 3600, 1000],
  sendTimeoutMs: ['SendTimeout', 1, 3600, 1000],
  connectTimeoutMs: ['ConnectTimeout', 1, 3600, 1000],
  originTimeoutMs: ['OriginTimeout', 1, 3600, 1000],
  originReadTimeoutMs: ['OriginReadTimeout', 1, 3600, 1000],
  originIdleMs: ['OriginKeepAlive', 0, 3600, 1000],
  upgradeTimeoutMs: ['UpgradeTimeout', 1, 86_400, 1000],
  tlsHandshakeTimeoutMs: ['TlsHandshakeTimeout', 1, 3600, 1000],
  tlsHandshakesMax: ['MaxTlsHandshakes', 1, 100_000, 1],
  h2StreamsMax: ['MaxH2Streams', 1, 1000, 1],
  h2HeaderBytesMax: ['MaxH2HeaderBytes', 4096, 1_048_576, 1],
  h2ResetsMax: ['MaxH2Resets', 1, 100_000, 1],
  h2SessionMemoryMiB: ['MaxH2SessionMemory', 1, 1024, 1],
  connectionsMax: ['MaxConnections', 1, 1_000_000, 1],
  originConnectionsMax: ['MaxOriginConnections', 1, 65_535, 1],
  originQueueMax: ['MaxOriginQueue', 0, 65_535, 1],
  originTriesMax: ['MaxOriginTries', 1, 10, 1],
  originRetryMs: ['OriginRetryTimeout', 1, 3600, 1000],
  drainMs: ['DrainSeconds', 0, 3600, 1000],
  logBacklogBytesMax: ['MaxLogBacklog', 65_536, 1_073_741_824, 1],
  consoleLineBytesMax: ['MaxConsoleLine', 256, 65_536, 1],
  consoleClientsMax: ['MaxConsoleClients', 1, 1024, 1],
  journalBytesMax: ['MaxJournalBytes', 1_048_576, 1_099_511_627_776, 1],
  distributionBytesMax: ['MaxDistributionTable', 1_048_576, 1_073_741_824, 1],
  servedMemoryBytesMax: ['MaxServedMemory', 65_536, 1_073_741_824, 1],
  suspectQueueMax: ['MaxSuspectQueue', 1, 65_535, 1],
  keywordCheckTimeoutMs: ['KeywordCheckTimeout', 1, 3600, 1000],
  egressConnectionsMax: ['MaxEgressConnections', 1, 65_535, 1],
  egressSourceConnectionsMax: ['MaxEgressSourceConnections', 1, 65_535, 1],
  egressSourcesMax: ['MaxEgressSources', 1, 65_535, 1],
  egressLogLinesMax: ['MaxEgressLogLines', 0, 100_000, 1],
  egressIdleMs: ['EgressIdleTimeout', 1, 86_400, 1000],
  dynamicOriginsMax: ['MaxDynamicOrigins', 1, 1_000_000, 1],
  nameLifetimeMs: ['NameLifetime', 1, 86_400, 1000],
  nameLookupsMax: ['MaxNameLookups', 1, 1024, 1],
  nameTimeoutMs: ['NameTimeout', 1, 3600, 1000],
} as const satisfies Record<keyof LimitSettings, readonly [string, number, number, number]>;

function scaled(key: keyof LimitSettings): fc.Arbitrary<number> {
  const [, min, max, scale] = limitKeys[key];
  return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max })).map((n) => n * scale);
}

const limits: fc.Arbitrary<LimitSettings> = record({
  requestLineBytesMax: scaled('requestLineBytesMax'),
  headerBytesMax: scaled('headerBytesMax'),
  headerCountMax: scaled('headerCountMax'),
  requestBodyBytesMax: scaled('requestBodyBytesMax'),
  headerTimeoutMs: scaled('headerTimeoutMs'),
  bodyTimeoutMs: scaled('bodyTimeoutMs'),
  keepAliveTimeoutMs: scaled('keepAliveTimeoutMs'),
  sendTimeoutMs: scaled('sendTimeoutMs'),
  connectTimeoutMs: scaled('connectTimeoutMs'),
  originTimeoutMs: scaled('originTimeoutMs'),
  originReadTimeoutMs: scaled('originReadTimeoutMs'),
  originIdleMs: scaled('originIdleMs'),
  upgradeTimeoutMs: scaled('upgradeTimeoutMs'),
  tlsHandshakeTimeoutMs: scaled('tlsHandshakeTimeoutMs'),
  tlsHandshakesMax: scaled('tlsHandshakesMax'),
  h2StreamsMax: scaled('h2StreamsMax'),
  h2HeaderBytesMax: scaled('h2HeaderBytesMax'),
  h2ResetsMax: scaled('h2ResetsMax'),
  h2SessionMemoryMiB: scaled('h2SessionMemoryMiB'),
  connectionsMax: scaled('connectionsMax'),
  originConnectionsMax: scaled('originConnectionsMax'),
  originQueueMax: scaled('originQueueMax'),
  originTriesMax: scaled('originTriesMax'),
  originRetryMs: scaled('originRetryMs'),
  drainMs: scaled('drainMs'),
  logBacklogBytesMax: scaled('logBacklogBytesMax'),
  consoleLineBytesMax: scaled('consoleLineBytesMax'),
  consoleClientsMax: scaled('consoleClientsMax'),
  journalBytesMax: scaled('journalBytesMax'),
  distributionBytesMax: scaled('distributionBytesMax'),
  servedMemoryBytesMax: scaled('servedMemoryBytesMax'),
  suspectQueueMax: scaled('suspectQueueMax'),
  keywordCheckTimeoutMs: scaled('keywordCheckTimeoutMs'),
  egressConnectionsMax: scaled('egressConnectionsMax'),
  egressSourceConnectionsMax: scaled('egressSourceConnectionsMax'),
  egressSourcesMax: scaled('egressSourcesMax'),
  egressLogLinesMax: scaled('egressLogLinesMax'),
  egressIdleMs: scaled('egressIdleMs'),
  dynamicOriginsMax: scaled('dynamicOriginsMax'),
  nameLifetimeMs: scaled('nameLifetimeMs'),
  nameLookupsMax: scaled('nameLookupsMax'),
  nameTimeoutMs: scaled('nameTimeoutMs'),
});

const host = fc.constantFrom('127.0.0.1', '192.0.2.7', '::1', '2001:db8::7', 'web.example', 'a_b');
const cidr = fc.constantFrom('10.0.0.0/8', '10.1.2.3/8', '::1', '2001:db8::/32', '192.0.2.1');
const origin: fc.Arbitrary<OriginAddress> = fc.oneof(
  fc.constant<OriginAddress>({ kind: 'demo' }),
  record({
    kind: fc.constant('url' as const),
    protocol: fc.constantFrom('http' as const, 'https' as const),
    host,
    port: fc.integer({ min: 1, max: 65_535 }),
    weight: fc.integer({ min: 1, max: 256 }),
    isBackup: fc.boolean(),
    connectionsMax: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  }),
);

/** Accelerators whose claims cannot clash: each has ports of its own. */
const accelerators: fc.Arbitrary<readonly AcceleratorSettings[]> = fc
  .array(
    record({
      listenHosts: fc.uniqueArray(host, { minLength: 1, maxLength: 3 }),
      origins: fc.oneof(
        fc.array(origin, { minLength: 1, maxLength: 3 }),
        fc.constant<OriginAddress[]>([{ kind: 'dynamic' }]),
      ),
      dynamicPort: fc.integer({ min: 1, max: 65_535 }),
      dynamicPrivate: fc.boolean(),
      hosts: fc.uniqueArray(fc.constantFrom('a', 'b.example', '*.b.example', '[::1]', '1.2.3.4')),
      trustedProxies: fc.array(cidr, { maxLength: 3 }),
      tls: tlsModel,
      mayUseProxyProtocol: fc.boolean(),
      cache: fc.boolean(),
      originSettings: originModel,
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drafts) =>
    drafts.map(({ listenHosts, hosts, mayUseProxyProtocol, ...rest }, index) => ({
      name: `site ${index}`,
      listen: listenHosts.map((name) => ({ host: name, port: 1000 + index })),
      hosts: hosts.length === 0 && rest.origins[0]?.kind === 'dynamic' ? ['a'] : hosts,
      proxyProtocol: mayUseProxyProtocol && rest.trustedProxies.length > 0,
      ...rest,
    })),
  );

const fileText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .map((text) => text.replace(/[\0/]/g, '_'))
  .filter((text) => !Buffer.from(text, 'utf8').toString('utf8').includes('\ufffd'));

const virus = fc.integer({ min: 4, max: 64 }).chain((patternSize) => {
  const pattern: fc.Arbitrary<ConfiguredPattern> = record({
    bytes: fc
      .uint8Array({ minLength: 1, maxLength: patternSize })
      .map((bytes) => Buffer.from(bytes)),
    origLength: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  });
  return record({
    patterns: fc.array(pattern, { maxLength: 5 }),
    patternSize: fc.constant(patternSize),
    patternStartOffset: fc.integer({ min: 0, max: 1024 }),
    autoUpdate: fc.boolean(),
    hitThreshold: fc.integer({ min: 1, max: 1_000_000_000 }),
    refreshIntervalSeconds: fc.integer({ min: 1, max: 3600 }),
    maxPatterns: fc.integer({ min: 5, max: 10_000_000 }),
    maxKeywords: fc.integer({ min: 0, max: 100_000 }),
    patternFiles: fc.array(
      fileText.map((text) => `/etc/x${text}.ncf`),
      { maxLength: 3 },
    ),
    action: fc.constantFrom('slip' as const, 'drop' as const),
    mode: fc.constantFrom('block' as const, 'detect' as const),
    normalizeRequests: fc.boolean(),
    blockConfirmedKeywords: fc.boolean(),
    autoUpdateAction: fc.constantFrom('add' as const, 'propose' as const),
    learnedPatternMs: fc.integer({ min: 0, max: 3650 }).map((days) => days * 86_400_000),
    servedMemoryMs: fc.integer({ min: 1, max: 720 }).map((hours) => hours * 3_600_000),
    maxLearnedPatterns: fc.integer({ min: 0, max: 1_000_000 }),
    maxProposedPatterns: fc.integer({ min: 0, max: 100_000 }),
    neverBlockAddresses: fc.array(cidr, { maxLength: 3 }),
    neverBlockPaths: fc.array(fc.constantFrom('/', '/a,b', '/"x"', '/\\', '/a=b', '/[c]')),
  });
});

const throttle: fc.Arbitrary<ThrottleConfiguration> = fc
  .record({
    enable: fc.boolean(),
    action: fc.constantFrom('log' as const, 'block' as const),
    blockMs: fc.integer({ min: 0, max: 86_400 }).map((seconds) => seconds * 1000),
    size: fc.integer({ min: 10, max: 1000 }),
    high: fc.integer({ min: 8, max: 1000 }),
    low: fc.integer({ min: 4, max: 996 }),
    hosts: fc.integer({ min: 1, max: 100 }),
    delay: fc.integer({ min: 1, max: 10 }),
  })
  .map(({ enable, action, blockMs, size, high, low, hosts, delay }) => {
    const highMark = Math.min(high, size);
    return {
      ...{ enable, action, blockMs, faults: [], configFile: undefined },
      parameters: {
        host_working_set_size: hosts,
        delay_queue_delay_seconds: delay,
        delay_queue_size: size,
        delay_queue_high_watermark: highMark,
        delay_queue_low_watermark: Math.min(low, highMark - 4),
      },
    };
  });

const egress: fc.Arbitrary<EgressConfiguration> = record({
  listen: fc.option(record({ host, port: fc.integer({ min: 3000, max: 3999 }) }), {
    nil: undefined,
  }),
  allow: fc.array(cidr, { minLength: 1, maxLength: 3 }),
  allowPorts: fc.array(
    fc
      .tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }))
      .map(([one, other]): readonly [number, number] => [
        Math.min(one, other),
        Math.max(one, other),
      ]),
    { minLength: 1, maxLength: 3 },
  ),
  allowPrivate: fc.boolean(),
  credentials: fc.constantFrom('', 'user:word', 'a:b:c'),
});

export const settingsModel: fc.Arbitrary<Settings> = record({
  file: fc.constant('/etc/PROXY.CFG'),
  scanVirusPatterns: fc.boolean(),
  fastPath: fc.boolean(),
  virus,
  sources: sourceModel,
  accelerators,
  cache: cacheModel,
  throttle,
  egress,
  snmp: snmpModel,
  limits,
  admin: record({
    listen: fc.option(record({ host, port: fc.integer({ min: 1, max: 999 }) }), {
      nil: undefined,
    }),
    token: fc.stringMatching(/^[\x21-\x7e]{1,20}$/),
    hosts: fc.array(fc.constantFrom('a.test', 'b'), { maxLength: 2 }),
    sessionMs: fc.integer({ min: 1, max: 720 }).map((hours) => hours * 3_600_000),
  }),
  log: record({
    requests: fc.constantFrom('all' as const, 'blocked' as const),
    proxyLog: fileText.map((text) => `p${text}`),
    consoleLog: fileText.map((text) => `/c${text}`),
    throttleLog: fileText.map((text) => `t${text}`),
  }),
  events: eventModel,
  tracing: tracingModel,
  fleet: fleetModel,
});

const bit = (yes: boolean) => (yes ? '1' : '0');
const quoteName = (name: string) => quote(Buffer.from(name, 'utf8').toString('latin1'));

export function renderSettings(settings: Settings): string[] {
  const { virus: v, throttle: t, egress: e, admin, log } = settings;
  return [
    '[Extra Configuration]',
    `ScanVirusPatterns=${bit(settings.scanVirusPatterns)}`,
    `FastPath=${bit(settings.fastPath)}`,
    '[Virus Pattern Configuration]',
    `NoOfVirusPatterns=${v.patterns.length}`,
    ...v.patterns.map(
      ({ bytes, origLength }, index) =>
        `Pattern${index + 1}=${quote(Buffer.from(bytes).toString('latin1'))}, ${origLength}`,
    ),
    `PatternSize=${v.patternSize}`,
    `PatternStartOffset=${v.patternStartOffset}`,
    `EnablePatternAutoUpdate=${bit(v.autoUpdate)}`,
    `HitThreshold=${v.hitThreshold}`,
    `RefreshInterval=${v.refreshIntervalSeconds}`,
    `MaxVirusPatterns=${v.maxPatterns}`,
    `MaxVirusKeywords=${v.maxKeywords}`,
    `PatternFiles=${v.patternFiles.map(quoteName).join(', ')}`,
    `VirusAction=${v.action}`,
    `Mode=${v.mode}`,
    `NormalizeRequests=${bit(v.normalizeRequests)}`,
    `BlockConfirmedKeywords=${bit(v.blockConfirmedKeywords)}`,
    `AutoUpdateAction=${v.autoUpdateAction}`,
    `LearnedPatternDays=${v.learnedPatternMs / 86_400_000}`,
    `ServedMemoryHours=${v.servedMemoryMs / 3_600_000}`,
    `MaxLearnedPatterns=${v.maxLearnedPatterns}`,
    `MaxProposedPatterns=${v.maxProposedPatterns}`,
    `NeverBlock=${[
      ...v.neverBlockAddresses,
      ...v.neverBlockPaths.map((path) => quote(`path:${path}`)),
    ].join(',')}`,
    '[Virus Sources]',
    ...renderSources(settings.sources),
    ...settings.accelerators.flatMap((site) => [
      `[Accelerator ${site.name}]`,
      `Listen=${site.listen.map(formatHostPort).join(', ')}`,
      `Origin=${site.origins.map(renderOrigin).join(', ')}`,
      `OriginPort=${site.dynamicPort}`,
      `AllowPrivate=${bit(site.dynamicPrivate)}`,
      `Hosts=${site.hosts.join(', ')}`,
      `TrustedProxies=${site.trustedProxies.join(' , ')}`,
      ...renderTls(site),
      `Cache=${bit(site.cache)}`,
      ...renderOriginSettings(site.originSettings),
    ]),
    '[Cache]',
    ...renderCache(settings.cache),
    '[Virus Throttle]',
    `Enable=${bit(t.enable)}`,
    ...Object.entries(t.parameters).map(([name, value]) => `${name}=${value}`),
    `OnVirusLikeActivity=${t.action}`,
    `BlockSeconds=${t.blockMs / 1000}`,
    '[Egress]',
    `Listen=${e.listen === undefined ? '' : formatHostPort(e.listen)}`,
    `Allow=${e.allow.join(',')}`,
    `AllowPorts=${e.allowPorts.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')}`,
    `AllowPrivate=${bit(e.allowPrivate)}`,
    `Credentials=${quote(e.credentials)}`,
    '[SNMP]',
    ...renderSnmp(settings.snmp),
    '[Limits]',
    ...renderLimits(settings.limits),
    '[Admin]',
    `Listen=${admin.listen === undefined ? '' : formatHostPort(admin.listen)}`,
    `Token=${quote(admin.token)}`,
    `Hosts=${admin.hosts.join(',')}`,
    `SessionHours=${admin.sessionMs / 3_600_000}`,
    '[Events]',
    ...renderEvents(settings.events),
    '[Tracing]',
    ...renderTracing(settings.tracing),
    '[Fleet]',
    ...renderFleet(settings.fleet),
    '[Log]',
    `LogRequests=${log.requests}`,
    `ProxyLog=${quoteName(log.proxyLog)}`,
    `ConsoleLog=${quoteName(log.consoleLog)}`,
    `ThrottleLog=${quoteName(log.throttleLog)}`,
  ];
}

function renderLimits(values: LimitSettings): string[] {
  return Object.entries(values).map(([key, amount]) => {
    const row = Object.entries(limitKeys).find(([name]) => name === key)?.[1];
    assert.ok(row !== undefined);
    return `${row[0]}=${amount / row[3]}`;
  });
}
