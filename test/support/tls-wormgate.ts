/** A wormgate of a test's own with an address for TLS beside the plain one. */
import { type CertificateOptions, makeCertificate } from './certificate.ts';
import type { Cleanup } from './cleanup.ts';
import { freePort, makeWormgate, type Wormgate, type WormgateOptions } from './wormgate.ts';

export interface TlsWormgateOptions extends WormgateOptions {
  /** The certificates of the accelerator, by the names of their files. */
  readonly certificates?: Readonly<Record<string, readonly string[]>>;
  readonly kinds?: Readonly<Record<string, CertificateOptions['kind']>>;
}

export interface TlsWormgate {
  readonly wormgate: Wormgate;
  readonly tlsPort: number;
  /** What it was configured with, for another configuration with changes. */
  readonly options: WormgateOptions;
}

/** Started, by default with one certificate, for site.test and 127.0.0.1. */
export async function startTlsWormgate(
  test: Cleanup,
  options: TlsWormgateOptions = {},
): Promise<TlsWormgate> {
  const tlsPort = await freePort();
  const certificates = options.certificates ?? { site: ['site.test', '127.0.0.1'] };
  const files = Object.keys(certificates);
  const all: WormgateOptions = {
    ...options,
    accelerator: [
      `ListenTls=127.0.0.1:${tlsPort}`,
      `Certificate=${files.map((file) => `${file}.crt`).join(', ')}`,
      `CertificateKey=${files.map((file) => `${file}.key`).join(', ')}`,
      ...(options.accelerator ?? []),
    ],
  };
  const wormgate = await makeWormgate(test, all);
  for (const [file, names] of Object.entries(certificates)) {
    makeCertificate(wormgate.folder, names, { file, kind: options.kinds?.[file] ?? 'ec' });
  }
  await wormgate.start();
  return { wormgate, tlsPort, options: all };
}
