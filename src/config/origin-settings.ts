/**
 * What an accelerator's section says about its origins, from its rows: with the certificates of its
 * files, and the checks that need several keys.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { describeError, describeFileError, shown } from './fault.ts';
import type { HealthCheckSettings, OriginSettings, OriginTlsSettings } from './shape.ts';
import type { AcceleratorReader, SectionSources } from './tls-settings.ts';

type PemKey = 'OriginCA' | 'OriginCertificate' | 'OriginKey';

const secondMs = 1000;

const checkKeys = [
  'HealthInterval',
  'HealthTimeout',
  'HealthHost',
  'HealthStatus',
  'HealthRise',
  'HealthFall',
] as const;

/** The settings. */
export function readOriginSettings(
  reader: AcceleratorReader,
  sources: SectionSources,
): OriginSettings {
  return {
    balance: reader.get('Balance'),
    failuresMax: reader.get('MaxFails'),
    downMs: reader.get('FailTimeout') * secondMs,
    counts5xx: reader.get('FailOn5xx'),
    slowStartMs: reader.get('SlowStart') * secondMs,
    check: readCheck(reader, sources),
    tls: readTls(reader, sources),
    resolveMs: reader.get('OriginResolve') * secondMs,
  };
}

function readCheck(
  reader: AcceleratorReader,
  sources: SectionSources,
): HealthCheckSettings | undefined {
  const path = reader.get('HealthPath');
  for (const key of path === '' ? checkKeys : []) {
    if (!reader.has(key)) continue;
    const message = 'it does nothing without HealthPath';
    sources.warn({ line: reader.lineOf(key), section: reader.name, key, message });
  }
  const statuses = reader.get('HealthStatus');
  if (statuses.length === 0) {
    reader.report(reader.lineOf('HealthStatus'), 'HealthStatus', 'no check could pass');
  }
  const check = {
    path,
    intervalMs: reader.get('HealthInterval') * secondMs,
    timeoutMs: reader.get('HealthTimeout') * secondMs,
    host: reader.get('HealthHost'),
    statuses,
    rise: reader.get('HealthRise'),
    fall: reader.get('HealthFall'),
  };
  return path === '' ? undefined : check;
}

function readTls(
  reader: AcceleratorReader,
  { folder, readFile }: SectionSources,
): OriginTlsSettings {
  const read = (key: PemKey): string | undefined => {
    const name = reader.get(key);
    if (name === undefined) return undefined;
    try {
      return Buffer.from(readFile(resolve(folder, name))).toString('latin1');
    } catch (error) {
      const where = shown(Buffer.from(name, 'utf8').toString('latin1'));
      reader.report(
        reader.lineOf(key),
        key,
        `${where} cannot be read: ${describeFileError(error)}`,
      );
      return undefined;
    }
  };
  const ca = read('OriginCA');
  const certificate = read('OriginCertificate');
  const ownKey = read('OriginKey');
  if (ca !== undefined) checkPem(reader, 'OriginCA', () => new X509Certificate(ca));
  if (ownKey !== undefined) checkPem(reader, 'OriginKey', () => createPrivateKey(ownKey));
  if (ownKey !== undefined && !reader.has('OriginCertificate')) {
    reader.report(reader.lineOf('OriginKey'), 'OriginKey', 'it needs an OriginCertificate');
  }
  const isKeyKnown = reader.get('OriginKey') === undefined || ownKey !== undefined;
  const key = ownKey ?? certificate;
  if (certificate !== undefined && isKeyKnown) {
    checkPem(reader, 'OriginCertificate', () => createSecureContext({ cert: certificate, key }));
  }
  return {
    verify: reader.get('OriginVerify'),
    serverName: reader.get('OriginServerName'),
    ca,
    certificate,
    key: certificate === undefined ? undefined : key,
  };
}

/** Reports what OpenSSL says against a file. */
function checkPem(reader: AcceleratorReader, key: PemKey, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const reason = describeError(error);
    reader.report(reader.lineOf(key), key, `it cannot be used: ${reason}`);
  }
}
