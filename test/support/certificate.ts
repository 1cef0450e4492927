/** Certificates of a test's own, self-signed, made with openssl. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { programPath } from './parts.ts';

export interface CertificateOptions {
  /** `ec`, which is quick, or `rsa`. */
  readonly kind?: 'ec' | 'rsa';
  /** The file name without its ending; by default that of the first name. */
  readonly file?: string;
  readonly days?: number;
}

/** Makes FILE.crt and FILE.key in a folder, for host names or addresses. */
export function makeCertificate(
  folder: string,
  names: readonly string[],
  options: CertificateOptions = {},
): void {
  const { kind = 'ec', file = names[0] ?? 'none', days = 30 } = options;
  const algorithm =
    kind === 'ec'
      ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
      : ['-newkey', 'rsa:2048'];
  const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
  const result = spawnSync(
    programPath('openssl'),
    [
      ...[
        'req',
        '-x509',
        ...algorithm,
        '-nodes',
        '-days',
        String(days),
        '-subj',
        '/CN=wormgate test',
      ],
      ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${alternatives.join(',')}`]),
      ...['-keyout', join(folder, `${file}.key`), '-out', join(folder, `${file}.crt`)],
    ],
    { encoding: 'utf8', timeout: 20_000 },
  );
  if (result.status !== 0) throw new Error(`openssl: ${result.stderr}`);
}
