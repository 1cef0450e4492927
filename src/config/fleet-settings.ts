/** The values of `[Fleet]`, with the checks that need several keys, or the certificates of its file. */
import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { describeFileError } from './fault.ts';
import type { fleetSection } from './fleet-rows.ts';
import type { SectionReader } from './section-reader.ts';
import type { FleetSettings } from './shape.ts';
import type { SectionTable } from './table.ts';
import type { SectionSources } from './tls-settings.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;
type FleetReader = SectionReader<ValuesOf<typeof fleetSection>>;

const secondMs = 1000;
const defaultPort = 6379;

/** What does nothing without Url. */
const clientKeys = ['User', 'Password', 'CA'] as const;

/** The settings of `[Fleet]`. */
export function readFleetSettings(reader: FleetReader, sources: SectionSources): FleetSettings {
  const url = reader.get('Url');
  for (const key of clientKeys) {
    if (url !== '' || reader.isBad('Url') || (reader.get(key) ?? '') === '') continue;
    reader.report(reader.lineOf(key), key, 'it has no effect without Url');
  }
  const ca = readCa(reader, sources);
  if (ca !== undefined && /^redis:/i.test(url)) {
    reader.report(reader.lineOf('CA'), 'CA', 'it has no effect with redis://, only with rediss://');
  }
  return {
    workers: reader.get('Workers'),
    workerTimeoutMs: reader.get('WorkerTimeout') * secondMs,
    engine: url === '' ? undefined : engineOf(url),
    user: reader.get('User'),
    password: reader.get('Password'),
    ca,
    keyPrefix: reader.get('KeyPrefix'),
    nodeName: reader.get('NodeName') || ownName(),
    outboxMax: reader.get('MaxOutbox'),
    talliesMax: reader.get('MaxTallies'),
    snapshotEvery: reader.get('SnapshotEvery'),
    timeoutMs: reader.get('EngineTimeout') * secondMs,
  };
}

function engineOf(url: string): NonNullable<FleetSettings['engine']> {
  const { protocol, hostname: host, port, pathname } = new URL(url);
  return {
    isTls: protocol === 'rediss:',
    host: host.replace(/^\[|\]$/g, ''),
    port: port === '' ? defaultPort : Number(port),
    database: Number(pathname.slice(1)),
  };
}

function ownName(): string {
  const name = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63);
  return name === '' ? 'node' : name;
}

function readCa(reader: FleetReader, { folder, readFile }: SectionSources): string | undefined {
  const name = reader.get('CA');
  if (name === undefined) return undefined;
  let pem: string;
  try {
    pem = Buffer.from(readFile(resolve(folder, name))).toString('latin1');
  } catch (error) {
    reader.report(reader.lineOf('CA'), 'CA', `it cannot be read: ${describeFileError(error)}`);
    return undefined;
  }
  try {
    new X509Certificate(pem);
    return pem;
  } catch {
    reader.report(reader.lineOf('CA'), 'CA', 'the file holds no certificate as PEM');
    return undefined;
  }
}
