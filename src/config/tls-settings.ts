/**
 * The checks of `[Accelerator NAME]` about TLS that need several keys, the reading of certificate files,
 * and what accelerators on one address have to agree upon.
 */
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { readCertificate } from './certificate.ts';
import { formatHostPort } from './endpoint.ts';
import { type Fault, shown } from './fault.ts';
import type { SectionReader } from './section-reader.ts';
import type { acceleratorSection } from './settings.ts';
import type { AcceleratorSettings, Certificate, HostPort, TlsSettings } from './shape.ts';
import type { SectionTable } from './table.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;
export type AcceleratorReader = SectionReader<ValuesOf<typeof acceleratorSection>>;

/** What the reading of an accelerator's section, and of the files that it names, needs of the world. */
export interface SectionSources {
  /** Relative names start from here. */
  readonly folder: string;
  readFile(file: string): Uint8Array;
  readonly nowMs: number;
  /** Told what is worth a word but no fault. */
  warn(warning: Fault): void;
}

/** The settings of one accelerator about TLS. */
export function readTlsSettings(reader: AcceleratorReader, sources: SectionSources): TlsSettings {
  const listen = reader.get('ListenTls');
  const certificates = readCertificates(reader, sources);
  const hasPairs = certificates.length > 0 || reader.has('Certificate');
  if (listen.length > 0 && !hasPairs && !reader.isBad('Certificate')) {
    reader.report(
      reader.lineOf('ListenTls'),
      'ListenTls',
      'it needs Certificate and CertificateKey',
    );
  }
  if (listen.length === 0 && reader.get('HstsSeconds') > 0) {
    const message = 'it does nothing without ListenTls: answers in the clear have no such header';
    const line = reader.lineOf('HstsSeconds');
    sources.warn({ line, section: reader.name, key: 'HstsSeconds', message });
  }
  const ciphers = reader.get('TlsCiphers');
  checkCiphers(reader, ciphers);
  return {
    listen,
    certificates,
    minVersion: reader.get('TlsMinVersion') === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers,
    http2: reader.get('Http2'),
    hsts: hstsValue(reader),
    redirectPort: readRedirect(reader, listen),
  };
}

/** Whether connections begin with a PROXY protocol header, which somebody must be allowed to send. */
export function readProxyProtocol(
  reader: AcceleratorReader,
  trustedProxies: readonly string[],
): boolean {
  const isOn = reader.get('ProxyProtocol');
  if (isOn && trustedProxies.length === 0 && !reader.isBad('TrustedProxies')) {
    const message = 'it needs TrustedProxies: nobody else may send the header';
    reader.report(reader.lineOf('ProxyProtocol'), 'ProxyProtocol', message);
  }
  return isOn;
}

function hstsValue(reader: AcceleratorReader): string {
  const seconds = reader.get('HstsSeconds');
  const hasSubdomains = reader.get('HstsIncludeSubdomains');
  if (seconds === 0) return '';
  return `max-age=${seconds}${hasSubdomains ? '; includeSubDomains' : ''}`;
}

function readRedirect(reader: AcceleratorReader, listen: readonly HostPort[]): number | undefined {
  const redirects = reader.get('RedirectToTls');
  const port = reader.get('RedirectPort') || listen[0]?.port;
  if (!redirects) return undefined;
  if (port === undefined && !reader.isBad('ListenTls')) {
    const message = 'it needs ListenTls or RedirectPort, to know where to';
    reader.report(reader.lineOf('RedirectToTls'), 'RedirectToTls', message);
  }
  return port;
}

function checkCiphers(reader: AcceleratorReader, ciphers: string): void {
  if (ciphers === '') return;
  try {
    createSecureContext({ ciphers });
  } catch {
    reader.report(
      reader.lineOf('TlsCiphers'),
      'TlsCiphers',
      `OpenSSL knows no such list of ciphers: ${shown(ciphers)}`,
    );
  }
}

function readCertificates(reader: AcceleratorReader, sources: SectionSources): Certificate[] {
  const certificateFiles = reader.get('Certificate');
  const keyFiles = reader.get('CertificateKey');
  if (reader.isBad('Certificate') || reader.isBad('CertificateKey')) return [];
  if (certificateFiles.length !== keyFiles.length) {
    const message = `certificates: ${certificateFiles.length}, keys: ${keyFiles.length}; each needs the other`;
    const key = certificateFiles.length > keyFiles.length ? 'Certificate' : 'CertificateKey';
    reader.report(reader.lineOf(key), key, message);
    return [];
  }
  return certificateFiles.flatMap((file, index) => {
    const files = {
      certificateFile: resolve(sources.folder, file),
      keyFile: resolve(sources.folder, keyFiles[index] ?? ''),
    };
    const read = readCertificate(files, sources.readFile, sources.nowMs);
    for (const { key, message } of read.faults) reader.report(reader.lineOf(key), key, message);
    for (const { key, message } of read.warnings) {
      sources.warn({ line: reader.lineOf(key), section: reader.name, key, message });
    }
    return read.certificate === undefined ? [] : [read.certificate];
  });
}

/** An accelerator with its places in the file. */
export interface AgreeingAccelerator {
  readonly settings: AcceleratorSettings;
  readonly section: string;
  lineOf(key: AgreedKey): number;
  report(line: number, key: string, message: string): void;
}

type AgreedKey = 'TlsMinVersion' | 'TlsCiphers' | 'Http2' | 'ProxyProtocol';

/** Settled before anybody knows which accelerator a connection is for. */
const agreedForTls: readonly (readonly [AgreedKey, (settings: AcceleratorSettings) => unknown])[] =
  [
    ['TlsMinVersion', ({ tls }) => tls.minVersion],
    ['TlsCiphers', ({ tls }) => tls.ciphers],
    ['Http2', ({ tls }) => tls.http2],
  ];

const agreedForAll: typeof agreedForTls = [['ProxyProtocol', ({ proxyProtocol }) => proxyProtocol]];

/** Reports what accelerators that share an address must have alike and have not. */
export function checkAgreement(accelerators: readonly AgreeingAccelerator[]): void {
  const firsts = new Map<string, AgreeingAccelerator>();
  for (const accelerator of accelerators) {
    const { settings } = accelerator;
    for (const address of [...settings.listen, ...settings.tls.listen]) {
      const id = formatHostPort(address);
      const first = firsts.get(id);
      if (first === undefined) {
        firsts.set(id, accelerator);
        continue;
      }
      if (first === accelerator) continue;
      const isTls = settings.tls.listen.includes(address);
      for (const [key, read] of isTls ? [...agreedForTls, ...agreedForAll] : agreedForAll) {
        if (read(first.settings) === read(settings)) continue;
        const message = `it is not that of [${first.section}], which shares ${id}`;
        accelerator.report(accelerator.lineOf(key), key, message);
      }
    }
  }
}
