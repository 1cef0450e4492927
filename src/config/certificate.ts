/**
 * One certificate with its private key, read from PEM files and checked as far as that is possible
 * without a client: whether the two belong together and TLS would take them. What is wrong comes back as
 * sentences; that a certificate has expired is a warning, because clients are the ones to refuse it.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { describeError, describeFileError, shown } from './fault.ts';
import type { Certificate, CertificateFiles } from './shape.ts';

/** A message and the key of PROXY.CFG that it is about. */
export interface CertificateFault {
  readonly key: 'Certificate' | 'CertificateKey';
  readonly message: string;
}

export interface ReadCertificate {
  /** Undefined: there are faults. */
  readonly certificate: Certificate | undefined;
  readonly faults: readonly CertificateFault[];
  readonly warnings: readonly CertificateFault[];
}

function name(path: string): string {
  return shown(Buffer.from(path, 'utf8').toString('latin1'));
}

/** Reads a pair of files; `nowMs` tells what has expired. */
export function readCertificate(
  files: CertificateFiles,
  readFile: (file: string) => Uint8Array,
  nowMs: number,
): ReadCertificate {
  const faults: CertificateFault[] = [];
  const refuse = (key: CertificateFault['key'], message: string) => {
    faults.push({ key, message });
    return undefined;
  };
  const read = (key: CertificateFault['key'], file: string) => {
    try {
      return Buffer.from(readFile(file));
    } catch (error) {
      return refuse(key, `${name(file)} cannot be read: ${describeFileError(error)}`);
    }
  };
  const chain = read('Certificate', files.certificateFile);
  const keyText = read('CertificateKey', files.keyFile);
  const leaf = chain && parseLeaf(chain);
  const key = keyText && parseKey(keyText);
  if (typeof leaf === 'string') refuse('Certificate', `${name(files.certificateFile)} ${leaf}`);
  if (typeof key === 'string') refuse('CertificateKey', `${name(files.keyFile)} ${key}`);
  if (chain === undefined || keyText === undefined || faults.length > 0) {
    return { certificate: undefined, faults, warnings: [] };
  }
  if (leaf === undefined || typeof leaf === 'string' || key === undefined) {
    return { certificate: undefined, faults, warnings: [] };
  }
  if (typeof key === 'string') return { certificate: undefined, faults, warnings: [] };
  if (!leaf.checkPrivateKey(key)) {
    const message = `${name(files.keyFile)} is not the key of ${name(files.certificateFile)}`;
    refuse('CertificateKey', message);
  } else {
    try {
      createSecureContext({ cert: chain, key: keyText });
    } catch (error) {
      refuse(
        'Certificate',
        `${name(files.certificateFile)} cannot be used: ${describeError(error)}`,
      );
    }
  }
  if (faults.length > 0) return { certificate: undefined, faults, warnings: [] };
  return {
    certificate: {
      ...files,
      chain,
      key: keyText,
      keyType: key.asymmetricKeyType ?? '',
      names: namesOf(leaf),
    },
    faults,
    warnings: warningsOf(leaf, files.certificateFile, nowMs),
  };
}

/** The first certificate of a PEM file, which is the server's own; or what is wrong. */
function parseLeaf(pem: Buffer): X509Certificate | string {
  try {
    return new X509Certificate(pem);
  } catch {
    return 'holds no certificate in PEM';
  }
}

function parseKey(pem: Buffer): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch {
    return pem.includes('ENCRYPTED')
      ? 'is protected by a passphrase; take that off'
      : 'holds no private key in PEM';
  }
}

function warningsOf(leaf: X509Certificate, file: string, nowMs: number): CertificateFault[] {
  const warn = (message: string): CertificateFault[] => [{ key: 'Certificate', message }];
  if (Date.parse(leaf.validTo) < nowMs) return warn(`${name(file)} expired on ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > nowMs) {
    return warn(`${name(file)} is not valid before ${leaf.validFrom}`);
  }
  return [];
}

/**
 * The host names of a certificate, lower case, `*.` wildcards included: its subjectAltNames, and without
 * any the subject's common name, which old tools still write.
 */
function namesOf(leaf: X509Certificate): string[] {
  const alternatives = (leaf.subjectAltName ?? '').split(', ');
  const names = alternatives.filter((each) => each.startsWith('DNS:')).map((each) => each.slice(4));
  const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
  const all = leaf.subjectAltName === undefined && common !== undefined ? [common] : names;
  return all.map((each) => each.toLowerCase());
}
