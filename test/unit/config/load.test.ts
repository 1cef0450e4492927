import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatFault, loadSettings, restartOnlyDifferences } from '../../../src/config/load.ts';
import { accelerator, faultsOf, settingsOf } from '../../support/settings-text.ts';

/** The faults of a virus section that holds `lines`, the first of them on line 3. */
function virusFaults(...lines: string[]): string[] {
  const text = [accelerator, '[Virus Pattern Configuration]', ...lines].join('\n');
  return faultsOf(text).map((fault) => fault.replace(' [Virus Pattern Configuration]', ''));
}

test('one accelerator is a whole configuration, everything else has its default', () => {
  const settings = settingsOf(accelerator);
  assert.equal(settings.file, '/etc/wormgate/PROXY.CFG');
  assert.equal(settings.scanVirusPatterns, false);
  assert.equal(settings.fastPath, true);
  assert.deepEqual(settings.virus, {
    patterns: [],
    patternSize: 16,
    patternStartOffset: 1,
    autoUpdate: false,
    hitThreshold: 250,
    refreshIntervalSeconds: 10,
    maxPatterns: 100_000,
    maxKeywords: 10_000,
    patternFiles: [],
    action: 'slip',
    mode: 'block',
    normalizeRequests: true,
    blockConfirmedKeywords: true,
    autoUpdateAction: 'add',
    learnedPatternMs: 30 * 86_400_000,
    servedMemoryMs: 168 * 3_600_000,
    maxLearnedPatterns: 10_000,
    maxProposedPatterns: 1_000,
    neverBlockAddresses: [],
    neverBlockPaths: [],
  });
  assert.deepEqual(settings.throttle, {
    enable: true,
    parameters: {
      host_working_set_size: 5,
      delay_queue_delay_seconds: 1,
      delay_queue_size: 200,
      delay_queue_high_watermark: 160,
      delay_queue_low_watermark: 100,
    },
    faults: [],
    configFile: undefined,
    action: 'log',
    blockMs: 60_000,
  });
  assert.deepEqual(settings.egress, {
    listen: undefined,
    allow: ['127.0.0.0/8'],
    allowPorts: [
      [80, 80],
      [443, 443],
    ],
    allowPrivate: false,
    credentials: '',
  });
  assert.deepEqual(settings.snmp, {
    sinks: [],
    sender: { version: 'v2c', community: 'public' },
  });
  assert.deepEqual(settings.admin, {
    listen: { host: '127.0.0.1', port: 8081 },
    hosts: [],
    sessionMs: 43_200_000,
    token: '',
  });
  assert.deepEqual(settings.log, {
    requests: 'all',
    proxyLog: 'PROXY.LOG',
    consoleLog: 'PROXY.LOG',
    throttleLog: 'hp-vt.log',
  });
  assert.deepEqual(settings.limits, {
    requestLineBytesMax: 8192,
    headerBytesMax: 16_384,
    headerCountMax: 100,
    requestBodyBytesMax: 1_073_741_824,
    headerTimeoutMs: 10_000,
    bodyTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
    sendTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
    originTimeoutMs: 60_000,
    originReadTimeoutMs: 60_000,
    originIdleMs: 60_000,
    upgradeTimeoutMs: 3_600_000,
    tlsHandshakeTimeoutMs: 10_000,
    tlsHandshakesMax: 1000,
    h2StreamsMax: 100,
    h2HeaderBytesMax: 65_536,
    h2ResetsMax: 200,
    h2SessionMemoryMiB: 10,
    connectionsMax: 10_000,
    originConnectionsMax: 256,
    originQueueMax: 1024,
    originTriesMax: 3,
    originRetryMs: 30_000,
    drainMs: 10_000,
    logBacklogBytesMax: 8_388_608,
    consoleLineBytesMax: 4096,
    consoleClientsMax: 16,
    journalBytesMax: 1_073_741_824,
    distributionBytesMax: 33_554_432,
    servedMemoryBytesMax: 4_194_304,
    suspectQueueMax: 256,
    keywordCheckTimeoutMs: 5_000,
    egressConnectionsMax: 10_000,
    egressSourceConnectionsMax: 1_500,
    egressSourcesMax: 1_000,
    egressLogLinesMax: 20,
    egressIdleMs: 300_000,
    dynamicOriginsMax: 1_000,
    nameLifetimeMs: 30_000,
    nameLookupsMax: 64,
    nameTimeoutMs: 5_000,
  });
});

test('keys and section names are the same in upper and lower case', () => {
  const settings = settingsOf(
    '[ACCELERATOR Main] listen=LOCALHOST:80 ORIGIN=Demo\n[limits] maxheaders=11',
  );
  assert.equal(settings.accelerators[0]?.name, 'Main');
  assert.deepEqual(settings.accelerators[0]?.listen, [{ host: 'localhost', port: 80 }]);
  assert.equal(settings.limits.headerCountMax, 11);
});

test('patterns are unescaped and come in the order of their numbers', () => {
  const { patterns } = settingsOf(
    `${accelerator}\n[Virus Pattern Configuration] NoOfVirusPatterns=2\nPattern2="a=b [x]\\x00\xe9",7\nPattern1="default.ida?NNNN",385`,
  ).virus;
  assert.deepEqual(
    patterns.map(({ bytes, origLength }) => [Buffer.from(bytes).toString('latin1'), origLength]),
    [
      ['default.ida?NNNN', 385],
      ['a=b [x]\0\xe9', 7],
    ],
  );
});

test('NeverBlock parts are networks and path prefixes, PatternFiles start from the folder', () => {
  const { virus } = settingsOf(
    `${accelerator}\n[Virus Pattern Configuration]\nNeverBlock=10.0.0.0/8, path:/safe, "path:/a,b", ::1\nPatternFiles=a.ncf, ../m\xc3\xbc.ncf, /c.ncf, "d e,f.ncf"`,
  );
  assert.deepEqual(virus.neverBlockAddresses, ['10.0.0.0/8', '::1']);
  assert.deepEqual(virus.neverBlockPaths, ['/safe', '/a,b']);
  assert.deepEqual(virus.patternFiles, [
    '/etc/wormgate/a.ncf',
    '/etc/mü.ncf',
    '/c.ncf',
    '/etc/wormgate/d e,f.ncf',
  ]);
});

test('ConsoleLog follows ProxyLog unless it is set', () => {
  assert.equal(settingsOf(`${accelerator}\n[Log] ProxyLog=a.log`).log.consoleLog, 'a.log');
  const both = settingsOf(`${accelerator}\n[Log] ProxyLog="a b.log" ConsoleLog=/var/log/b`).log;
  assert.deepEqual(both, {
    requests: 'all',
    proxyLog: 'a b.log',
    consoleLog: '/var/log/b',
    throttleLog: 'hp-vt.log',
  });
});

test('an empty Admin Listen turns the admin server off', () => {
  assert.equal(settingsOf(`${accelerator}\n[Admin] Listen=`).admin.listen, undefined);
});

test('every fault is reported at once, in the order of the lines', () => {
  const text = [
    'Stray=1',
    '[Extra Configuration] ScanVirusPatterns=2',
    '[Extra Configuration] Bogus=1',
    '[Firewall]',
    '[Accelerator a]',
    'Origin=demo',
    '[Limits] HitThreshold=3 MaxHeaders=5',
  ].join('\n');
  assert.deepEqual(faultsOf(text), [
    '1: Stray: it stands before the first [Section]',
    '2: [Extra Configuration] ScanVirusPatterns: `2` is out of range; allowed is 0-1',
    '3: [Extra Configuration]: the section already stands on line 2',
    '3: [Extra Configuration] Bogus: unknown key; the section knows ScanVirusPatterns, FastPath',
    '4: [Firewall]: unknown section; the sections are [Extra Configuration], [Virus Pattern Configuration], [Virus Sources], [Accelerator], [Cache], [Virus Throttle], [Egress], [SNMP], [Admin], [Log], [Events], [Tracing], [Fleet], [Limits]',
    '5: [Accelerator a] Listen: it is required, or ListenTls',
    '7: [Limits] HitThreshold: unknown key here; it belongs in [Virus Pattern Configuration]',
    '7: [Limits] MaxHeaders: `5` is out of range; allowed is 10-2000',
  ]);
});

test('a configuration without an accelerator says so on its last line', () => {
  assert.deepEqual(faultsOf('; nothing\n\n'), [
    '2: [Accelerator NAME]: there is none; at least one accelerator with Listen and Origin is needed',
  ]);
});

test('a name that is nearly right is answered with the right one', () => {
  assert.deepEqual(faultsOf(`${accelerator}\n[Limit]\n[Log] LogRequest=all`), [
    '2: [Limit]: unknown section; did you mean `[Limits]`?',
    '3: [Log] LogRequest: unknown key; did you mean LogRequests?',
  ]);
  const long = 'x'.repeat(100);
  assert.match(faultsOf(`${accelerator}\n[Log] ${long}=1`)[0] ?? '', /…: unknown key; the section/);
});

test('a key that stands twice names the line of the first, in whichever case', () => {
  assert.deepEqual(faultsOf(`${accelerator}\n[Limits]\nMaxHeaders=20\nMAXHEADERS=30`), [
    '4: [Limits] MAXHEADERS: it already stands on line 3',
  ]);
  assert.deepEqual(virusFaults('NoOfVirusPatterns=1', 'Pattern1="a",1', 'pattern1="b",1'), [
    '5: pattern1: it already stands on line 4',
  ]);
});

test('values of the wrong type or out of range are told what is allowed', () => {
  assert.deepEqual(
    virusFaults(
      'PatternSize=3',
      'PatternStartOffset=x',
      'HitThreshold=0',
      'RefreshInterval=10 ; seconds',
      'MaxVirusPatterns=1.5',
      'Mode=both',
      'VirusAction=',
      'NormalizeRequests=yes',
    ),
    [
      '3: PatternSize: `3` is out of range; allowed is 4-64 bytes',
      '4: PatternStartOffset: `x` is not a whole number; allowed is 0-1024 bytes',
      '5: HitThreshold: `0` is out of range; allowed is 1-1000000000 requests',
      '6: RefreshInterval: `10 ; seconds` is not a whole number; allowed is 1-3600 seconds; a comment needs a line of its own',
      '7: MaxVirusPatterns: `1.5` is not a whole number; allowed is 1-10000000 patterns',
      '8: Mode: `both` is not known; allowed is block or detect',
      '9: VirusAction: it is empty; allowed is slip or drop',
      '10: NormalizeRequests: `yes` is out of range; allowed is 0-1',
    ],
  );
});

test('NoOfVirusPatterns and the patterns must agree', () => {
  assert.deepEqual(virusFaults('NoOfVirusPatterns=2', 'Pattern1="a",1', 'Pattern3="c",3'), [
    '3: NoOfVirusPatterns: it is 2, but Pattern2 is missing',
    '5: Pattern3: NoOfVirusPatterns is 2, so there must be no Pattern3',
  ]);
  assert.deepEqual(virusFaults('NoOfVirusPatterns=100000'), [
    '3: NoOfVirusPatterns: it is 100000, but Pattern1, Pattern2, Pattern3 and 99997 more are missing',
  ]);
  assert.deepEqual(virusFaults('Pattern1="a",1'), [
    '3: Pattern1: NoOfVirusPatterns is 0, so there must be no Pattern1',
  ]);
  assert.deepEqual(virusFaults('NoOfVirusPatterns=x', 'Pattern7="a",1').length, 1);
  assert.match(virusFaults('Pattern01="a",1')[0] ?? '', /Pattern01: unknown key/);
  assert.deepEqual(
    virusFaults('NoOfVirusPatterns=2', 'Pattern1="a",1', 'Pattern2="b",1', 'MaxVirusPatterns=1'),
    ['6: MaxVirusPatterns: it is 1, but the section has 2 patterns'],
  );
});

test('patterns are checked for their form, their escapes and their size', () => {
  const faults = virusFaults(
    'NoOfVirusPatterns=6 PatternSize=4',
    'Pattern1="abcde",9',
    'Pattern2="a\\q",9',
    'Pattern3="",9',
    'Pattern4="ab",0',
    'Pattern5=abc,9',
    'Pattern6="abc"',
  );
  assert.deepEqual(faults, [
    '4: Pattern1: the pattern has 5 bytes; allowed is 1-4 (PatternSize)',
    '5: Pattern2: `"a\\q"`: the escape \\q is unknown; use \\xHH, \\" or \\\\',
    '6: Pattern3: the pattern is empty',
    '7: Pattern4: origLength `0` is out of range; allowed is 1-2147483647 bytes',
    '8: Pattern5: `abc,9` is not "bytes",origLength, as in "default.ida?NNNN",385',
    '9: Pattern6: `"abc"` is not "bytes",origLength, as in "default.ida?NNNN",385',
  ]);
  assert.deepEqual(
    virusFaults('NoOfVirusPatterns=1 PatternSize=x', 'Pattern1="0123456789abcdefgh",9'),
    ['3: PatternSize: `x` is not a whole number; allowed is 4-64 bytes'],
  );
});

test('every bad part of NeverBlock is named', () => {
  assert.deepEqual(virusFaults('NeverBlock=10.0.0.0/33, path:x, path:/ok,, path:/a?b'), [
    '3: NeverBlock: `10.0.0.0/33` is neither a CIDR, as in 10.0.0.0/8, nor path:/PREFIX',
    '3: NeverBlock: `path:x`: a path begins with / and holds no blank, ? or #',
    '3: NeverBlock: an empty part in the list',
    '3: NeverBlock: `path:/a?b`: a path begins with / and holds no blank, ? or #',
  ]);
});

test('log names stay in the data folder and off its other files', () => {
  const text = (name: string) => faultsOf(`${accelerator}\n[Log]\nProxyLog=${name}`);
  for (const name of [
    '../x',
    'a/../../x',
    '.',
    'a/',
    'VIRPAT.NCF',
    './console.sock',
    '"a\\x00b"',
  ]) {
    assert.equal(text(name).length, 1, name);
  }
  assert.match(text('a.log ; the log')[0] ?? '', /must stand in quotation marks; a comment needs/);
  assert.match(text('a\xff')[0] ?? '', /is not UTF-8/);
  assert.match(text('""')[0] ?? '', /a file name is needed/);
  assert.match(text('"a" b')[0] ?? '', /goes on after its closing quotation mark/);
  assert.match(text('a\x01b')[0] ?? '', /`a\\x01b` holds a control character/);
  for (const name of ['a/b.log', '/var/log/x', '"a ; b"']) assert.deepEqual(text(name), [], name);
});

test('a token holds printable ASCII without blanks, and is not printed', () => {
  const faults = faultsOf(`${accelerator}\n[Admin]\nToken=my secret`);
  assert.deepEqual(faults, ['3: [Admin] Token: only printable ASCII without blanks is allowed']);
});

test('a file that cannot be read is one fault without a line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-load-'));
  try {
    const missing = join(folder, 'PROXY.CFG');
    const printed = (file: string) => {
      const loaded = loadSettings(file);
      return loaded.ok ? [] : loaded.faults.map(formatFault);
    };
    assert.deepEqual(printed(missing), [`${missing}: cannot be read: no such file`]);
    assert.deepEqual(printed(folder), [`${folder}: cannot be read: it is a folder`]);
    writeFileSync(missing, Buffer.from(`\ufeff${accelerator}`, 'utf16le'));
    assert.deepEqual(printed(missing), [
      `${missing}: cannot be read: it is UTF-16; save it as UTF-8`,
    ]);
    writeFileSync(
      missing,
      `\ufeff${accelerator}\n[Virus Pattern Configuration]\nPatternFiles=x.ncf`,
    );
    assert.deepEqual(printed(missing), [
      `${missing}:3: [Virus Pattern Configuration] PatternFiles: \`x.ncf\` cannot be read: no such file (${join(folder, 'x.ncf')})`,
    ]);
    writeFileSync(join(folder, 'x.ncf'), '');
    assert.deepEqual(printed(missing), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an error that is no known file error is printed as it is', () => {
  const thrown = (error: unknown) => {
    const loaded = loadSettings('x', () => {
      throw error;
    });
    return loaded.ok ? '' : loaded.faults.map(formatFault).join();
  };
  assert.equal(thrown(new Error('odd')), 'x: cannot be read: odd');
  assert.equal(thrown('odder'), 'x: cannot be read: odder');
});

test('what a file holds cannot disturb the terminal that prints its faults', () => {
  const printed = faultsOf(`${accelerator}\n[\x1b[31m]\n[Log] \x1b]0;x\x07=1\nLogRequests=\x9b1m`);
  assert.ok(printed.length >= 3);
  for (const line of printed) assert.match(line, /^[\x20-\x7e…]*$/);
});

test('only the keys that need a restart are named as differences', () => {
  const old = settingsOf(accelerator);
  const next = settingsOf(
    `${accelerator}\n[Virus Pattern Configuration] PatternSize=32 PatternStartOffset=0 MaxVirusPatterns=5`,
  );
  assert.deepEqual(restartOnlyDifferences(old, old), []);
  assert.deepEqual(restartOnlyDifferences(old, next), [
    'PatternSize stays 16; the new value 32 needs a restart.',
    'PatternStartOffset stays 1; the new value 0 needs a restart.',
  ]);
});
