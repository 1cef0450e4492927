/**
 * The certificates in force: those of the settings, or newer ones from the same files. The folders are
 * watched, and all files are looked at once a minute besides, because links and network file systems do
 * not always tell. What cannot be used is refused with a sentence, and the certificate before it stays.
 */
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from './clock.ts';
import { readCertificate } from './config/certificate.ts';
import { describeError } from './config/fault.ts';
import type { AcceleratorSettings, Certificate } from './config/shape.ts';
import type { Statistics } from './statistics.ts';

export interface CertificatesOptions {
  readonly clock: Clock;
  readonly statistics: Statistics;
  warn(sentence: string): void;
  /** Some certificate is another one now. */
  onChange(): void;
}

/** Certificate and key are two files: both are written before they are looked at. */
const settleMs = 500;
const lookMs = 60_000;

export class Certificates {
  readonly #options: CertificatesOptions;
  /** By their files. */
  readonly #known = new Map<string, Certificate>();
  /** What was said about files that cannot be used; said once. */
  readonly #complaints = new Map<string, string>();
  readonly #watchers = new Map<string, FSWatcher>();
  #settling: Timer | undefined;
  #looking: Timer | undefined;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /** Takes over the certificates of settings that come into force. */
  adopt(accelerators: readonly AcceleratorSettings[]): void {
    const certificates = accelerators.flatMap(({ tls }) => tls.certificates);
    this.#known.clear();
    this.#complaints.clear();
    for (const certificate of certificates) this.#known.set(keyOf(certificate), certificate);
    this.#watch(certificates);
    this.#looking?.cancel();
    this.#looking = undefined;
    if (certificates.length === 0) return;
    this.#looking = this.#options.clock.every(lookMs, () => this.#look());
  }

  /** The newest certificate from the same files. */
  current(certificate: Certificate): Certificate {
    return this.#known.get(keyOf(certificate)) ?? certificate;
  }

  close(): void {
    this.#settling?.cancel();
    this.#looking?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(certificates: readonly Certificate[]): void {
    const folders = new Set(
      certificates.flatMap(({ certificateFile, keyFile }) => [
        dirname(certificateFile),
        dirname(keyFile),
      ]),
    );
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (!this.#watchers.has(folder)) this.#watchFolder(folder);
    }
  }

  #watchFolder(folder: string): void {
    const giveUp = (error: unknown) => {
      const reason = describeError(error);
      this.#options.warn(`cannot watch ${folder}: ${reason}; it is looked at once a minute`);
    };
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#settling?.cancel();
        this.#settling = this.#options.clock.after(settleMs, () => this.#look());
      });
      watcher.on('error', (error) => {
        watcher.close();
        this.#watchers.delete(folder);
        giveUp(error);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      giveUp(error);
    }
  }

  /** Reads all files, and takes over what is new and good. */
  #look(): void {
    let hasChanged = false;
    for (const [key, known] of this.#known) {
      if (isAsBefore(known)) {
        this.#complaints.delete(key);
        continue;
      }
      const { certificate, faults } = readCertificate(
        known,
        readFileSync,
        this.#options.clock.nowMs(),
      );
      if (certificate === undefined) {
        this.#complain(key, faults.map(({ message }) => message).join('; '));
        continue;
      }
      this.#complaints.delete(key);
      this.#known.set(key, certificate);
      hasChanged = true;
    }
    if (!hasChanged) return;
    this.#options.statistics.add('tls_certificates_reloaded');
    this.#options.warn('certificates were read again and are in force');
    this.#options.onChange();
  }

  #complain(key: string, complaint: string): void {
    if (this.#complaints.get(key) === complaint) return;
    this.#complaints.set(key, complaint);
    this.#options.statistics.add('tls_certificates_refused');
    this.#options.warn(`a changed certificate was not taken over; the old one stays: ${complaint}`);
  }
}

function keyOf({ certificateFile, keyFile }: Certificate): string {
  return `${certificateFile}\0${keyFile}`;
}

function isAsBefore({ certificateFile, keyFile, chain, key }: Certificate): boolean {
  try {
    return chain.equals(readFileSync(certificateFile)) && key.equals(readFileSync(keyFile));
  } catch {
    return false;
  }
}
