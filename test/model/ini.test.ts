import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatHostPort } from '../../src/config/endpoint.ts';
import { parseIni } from '../../src/config/ini.ts';
import { formatFault, loadSettings } from '../../src/config/load.ts';
import { quote } from '../../src/config/quoted.ts';
import type {
  AcceleratorSettings,
  ConfiguredPattern,
  LimitSettings,
  OriginAddress,
  Settings,
} from '../../src/config/shape.ts';

function load(text: string) {
  return loadSettings('/etc/PROXY.CFG', (file) =>
    Buffer.from(file.endsWith('.ncf') ? '' : text, 'latin1'),
  );
}

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

// A naive model of the file: sections of entries, written on as few or as many lines as it likes.

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/);
const bareValue = fc.stringMatching(/^[a-z0-9.:/?&;#*-]{1,12}$/);
const quotedValue = fc.string({ unit: 'binary-ascii', maxLength: 12 }).map(quote);
const value = fc.oneof(
  bareValue,
  quotedValue,
  fc
    .array(fc.oneof(bareValue, quotedValue), { minLength: 2, maxLength: 4 })
    .map((parts) => parts.join(', ')),
);
const entry = record({ key: word, value });
const section = record({
  name: fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' ')),
  entries: fc.array(entry, { maxLength: 4 }),
});
const gap = fc.constantFrom(' ', '\t ', '\n', '\r\n', '\n; a comment = 1 [x]\n\n', '\n  # b\n');

test('sections and entries are found whether they share lines or not', () => {
  fc.assert(
    fc.property(fc.array(section), fc.array(gap, { minLength: 1 }), (sections, gaps) => {
      const items = sections.flatMap(({ name, entries }) => [
        `[${name}]`,
        ...entries.map(({ key, value: text }) => `${key}=${text}`),
      ]);
      const text = items.map((item, index) => item + gaps[index % gaps.length]).join('');
      const parsed = parseIni(text);
      assert.deepEqual(parsed.faults, []);
      const found = parsed.sections.map(({ name, entries }) => ({
        name,
        entries: entries.map(({ key, value: read }) => ({ key, value: read })),
      }));
      assert.deepEqual(found, sections);
    }),
  );
});

test('random text never throws, and its faults have lines that exist', () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    '=',
    '"',
    '\\',
    ',',
    ';',
    '#',
    ' ',
    '\n',
    '\r',
    ':',
    '/',
  );
  const names = fc.constantFrom(
    '[Virus Pattern Configuration]',
    '[Accelerator a]',
    '[Admin]',
    'Listen=',
    'Origin=demo',
    'Pattern1=',
    'NoOfVirusPatterns=9',
    'NeverBlock=',
    '127.0.0.1:80',
  );
  const anything = fc.string({ unit: 'binary', maxLength: 6 });
  const text = fc.array(fc.oneof(pieces, names, anything), { maxLength: 40 });
  fc.assert(
    fc.property(text, (parts) => {
      const written = parts.join('');
      parseIni(written);
      const latin1 = Buffer.from(written, 'latin1').toString('latin1');
      const loaded = load(latin1);
      if (loaded.ok) return;
      assert.ok(loaded.faults.length > 0);
      const { lineCount } = parseIni(latin1);
      for (const fault of loaded.faults) {
        assert.ok(fault.line >= 0 && fault.line <= lineCount + 1, formatFault(fault));
        assert.match(formatFault(fault), /^\/etc\/PROXY\.CFG.*: \S/);
      }
    }),
    { numRuns: 500 },
  );
});

// Settings, and a rendering of them that shares nothing with the reader but the escapes.

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
  upgradeTimeoutMs: ['UpgradeTimeout', 1, 86_400, 1000],
  connectionsMax: ['MaxConnections', 1, 1_000_000, 1],
  originConnectionsMax: ['MaxOriginConnections', 1, 65_535, 1],
  originQueueMax: ['MaxOriginQueue', 0, 65_535, 1],
  drainMs: ['DrainSeconds', 0, 3600, 1000],
  logBacklogBytesMax: ['MaxLogBacklog', 65_536, 1_073_741_824, 1],
  consoleLineBytesMax: ['MaxConsoleLine', 256, 65_536, 1],
  consoleClientsMax: ['MaxConsoleClients', 1, 1024, 1],
  journalBytesMax: ['MaxJournalBytes', 1_048_576, 1_099_511_627_776, 1],
  distributionBytesMax: ['MaxDistributionTable', 1_048_576, 1_073_741_824, 1],
  servedMemoryBytesMax: ['MaxServedMemory', 65_536, 1_073_741_824, 1],
  suspectQueueMax: ['MaxSuspectQueue', 1, 65_535, 1],
  keywordCheckTimeoutMs: ['KeywordCheckTimeout', 1, 3600, 1000],
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
  upgradeTimeoutMs: scaled('upgradeTimeoutMs'),
  connectionsMax: scaled('connectionsMax'),
  originConnectionsMax: scaled('originConnectionsMax'),
  originQueueMax: scaled('originQueueMax'),
  drainMs: scaled('drainMs'),
  logBacklogBytesMax: scaled('logBacklogBytesMax'),
  consoleLineBytesMax: scaled('consoleLineBytesMax'),
  consoleClientsMax: scaled('consoleClientsMax'),
  journalBytesMax: scaled('journalBytesMax'),
  distributionBytesMax: scaled('distributionBytesMax'),
  servedMemoryBytesMax: scaled('servedMemoryBytesMax'),
  suspectQueueMax: scaled('suspectQueueMax'),
  keywordCheckTimeoutMs: scaled('keywordCheckTimeoutMs'),
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
  }),
);

/** Accelerators whose claims cannot clash: each has ports of its own. */
const accelerators: fc.Arbitrary<readonly AcceleratorSettings[]> = fc
  .array(
    record({
      listenHosts: fc.uniqueArray(host, { minLength: 1, maxLength: 3 }),
      origins: fc.array(origin, { minLength: 1, maxLength: 3 }),
      hosts: fc.uniqueArray(fc.constantFrom('a', 'b.example', '*.b.example', '[::1]', '1.2.3.4')),
      trustedProxies: fc.array(cidr, { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drafts) =>
    drafts.map(({ listenHosts, ...rest }, index) => ({
      name: `site ${index}`,
      listen: listenHosts.map((name) => ({ host: name, port: 1000 + index })),
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

const settingsModel: fc.Arbitrary<Settings> = record({
  file: fc.constant('/etc/PROXY.CFG'),
  scanVirusPatterns: fc.boolean(),
  fastPath: fc.boolean(),
  virus,
  accelerators,
  limits,
  admin: record({
    listen: fc.option(record({ host, port: fc.integer({ min: 1, max: 999 }) }), {
      nil: undefined,
    }),
    token: fc.stringMatching(/^[\x21-\x7e]{1,20}$/),
  }),
  log: record({
    requests: fc.constantFrom('all' as const, 'blocked' as const),
    proxyLog: fileText.map((text) => `p${text}`),
    consoleLog: fileText.map((text) => `/c${text}`),
  }),
});

const bit = (yes: boolean) => (yes ? '1' : '0');
const quoteName = (name: string) => quote(Buffer.from(name, 'utf8').toString('latin1'));

function renderOrigin(address: OriginAddress): string {
  return address.kind === 'demo' ? 'demo' : `${address.protocol}://${formatHostPort(address)}`;
}

function render(settings: Settings): string[] {
  const { virus: v, admin, log } = settings;
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
    ...settings.accelerators.flatMap((site) => [
      `[Accelerator ${site.name}]`,
      `Listen=${site.listen.map(formatHostPort).join(', ')}`,
      `Origin=${site.origins.map(renderOrigin).join(', ')}`,
      `Hosts=${site.hosts.join(', ')}`,
      `TrustedProxies=${site.trustedProxies.join(' , ')}`,
    ]),
    '[Limits]',
    ...renderLimits(settings.limits),
    '[Admin]',
    `Listen=${admin.listen === undefined ? '' : formatHostPort(admin.listen)}`,
    `Token=${quote(admin.token)}`,
    '[Log]',
    `LogRequests=${log.requests}`,
    `ProxyLog=${quoteName(log.proxyLog)}`,
    `ConsoleLog=${quoteName(log.consoleLog)}`,
  ];
}

function renderLimits(values: LimitSettings): string[] {
  return Object.entries(values).map(([key, amount]) => {
    const row = Object.entries(limitKeys).find(([name]) => name === key)?.[1];
    assert.ok(row !== undefined);
    return `${row[0]}=${amount / row[3]}`;
  });
}

test('any settings rendered and read again are the same', () => {
  fc.assert(
    fc.property(settingsModel, fc.constantFrom('\n', '\r\n'), (settings, lineEnd) => {
      const loaded = load(render(settings).join(lineEnd));
      assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'));
      assert.deepEqual(loaded.settings, settings);
    }),
    { numRuns: 200 },
  );
});
