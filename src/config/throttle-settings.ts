/**
 * The checks of `[Virus Throttle]` and `[Egress]` that need several keys, and the reading of an
 * hp-vt.conf. In PROXY.CFG a value out of range is a fault; in an hp-vt.conf its default is used, as the
 * paper says, and what was wrong goes to the throttle's log.
 */
import { resolve } from 'node:path';
import { describeFileError, shown } from './fault.ts';
import type { SectionReader } from './section-reader.ts';
import type { EgressConfiguration, ThrottleConfiguration } from './shape.ts';
import type { SectionTable } from './table.ts';
import {
  highestValue,
  type ParameterName,
  parameterNames,
  parameterRanges,
  type ReadParameters,
  readParameters,
} from './throttle-parameters.ts';
import type { egressSection, throttleSection } from './throttle-rows.ts';

type ValuesOf<S> = S extends SectionTable<infer V> ? V : never;
type ThrottleReader = SectionReader<ValuesOf<typeof throttleSection>>;
type EgressReader = SectionReader<ValuesOf<typeof egressSection>>;

const secondMs = 1000;

/** The five values of the section itself; a mark that is too high for the others is a fault. */
function ownParameters(reader: ThrottleReader): ReadParameters {
  const values = Object.fromEntries(
    parameterNames.map((name) => [name, reader.get(name)]),
  ) as Record<ParameterName, number>;
  for (const name of ['delay_queue_high_watermark', 'delay_queue_low_watermark'] as const) {
    const max = highestValue(name, values);
    if (values[name] <= max) continue;
    if (reader.has(name) && !reader.isBad(name)) {
      const { min } = parameterRanges[name];
      reader.report(reader.lineOf(name), name, `it is ${values[name]}; allowed is ${min}-${max}`);
    }
    // A default that other values have made too high fits in with them.
    values[name] = Math.max(max, parameterRanges[name].min);
  }
  return { values, faults: [] };
}

function readConfigFile(
  reader: ThrottleReader,
  path: string,
  readFile: (file: string) => Uint8Array,
): ReadParameters {
  for (const name of parameterNames) {
    if (!reader.has(name)) continue;
    reader.report(reader.lineOf(name), name, 'it stands beside ConfigFile, which has it as well');
  }
  try {
    return readParameters(Buffer.from(readFile(path)).toString('latin1'));
  } catch (error) {
    const where = shown(Buffer.from(path, 'utf8').toString('latin1'));
    const message = `${where} cannot be read: ${describeFileError(error)}`;
    reader.report(reader.lineOf('ConfigFile'), 'ConfigFile', message);
    return readParameters('');
  }
}

/** The settings of `[Virus Throttle]`. A relative ConfigFile starts from `folder`. */
export function readThrottleSettings(
  reader: ThrottleReader,
  folder: string,
  readFile: (file: string) => Uint8Array,
): ThrottleConfiguration {
  const named = reader.get('ConfigFile');
  const configFile = named === undefined ? undefined : resolve(folder, named);
  const { values, faults } =
    configFile === undefined ? ownParameters(reader) : readConfigFile(reader, configFile, readFile);
  return {
    enable: reader.get('Enable'),
    parameters: values,
    faults,
    configFile,
    action: reader.get('OnVirusLikeActivity'),
    blockMs: reader.get('BlockSeconds') * secondMs,
  };
}

/** The settings of `[Egress]`. */
export function readEgressSettings(reader: EgressReader): EgressConfiguration {
  const credentials = reader.get('Credentials');
  if (credentials !== '' && !credentials.includes(':')) {
    reader.report(reader.lineOf('Credentials'), 'Credentials', 'it has no colon: USER:PASSWORD');
  }
  return {
    listen: reader.get('Listen'),
    allow: reader.get('Allow'),
    allowPorts: reader.get('AllowPorts'),
    allowPrivate: reader.get('AllowPrivate'),
    credentials,
  };
}
