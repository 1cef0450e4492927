/**
 * The five parameters of hp-vt.conf with the paper's names, defaults and ranges ("Configurable
 * parameters"), and the reading of such a file: NAME=VALUE lines, `#` comments. A value out of range is
 * told and its default used, as the paper says. Pure.
 */
export type ParameterName =
  | 'host_working_set_size'
  | 'delay_queue_delay_seconds'
  | 'delay_queue_size'
  | 'delay_queue_high_watermark'
  | 'delay_queue_low_watermark';

export type ParameterValues = Readonly<Record<ParameterName, number>>;

/** The ranges, both ends included; the marks' upper ends depend on other values, too. */
export const parameterRanges: Readonly<
  Record<ParameterName, { readonly min: number; readonly max: number; readonly default: number }>
> = {
  host_working_set_size: { min: 1, max: 100, default: 5 },
  delay_queue_delay_seconds: { min: 1, max: 10, default: 1 },
  delay_queue_size: { min: 10, max: 1000, default: 200 },
  delay_queue_high_watermark: { min: 8, max: 1000, default: 160 },
  delay_queue_low_watermark: { min: 4, max: 996, default: 100 },
};

export const parameterNames = Object.keys(parameterRanges) as readonly ParameterName[];

/** The highest value of a parameter, given the others. */
export function highestValue(name: ParameterName, values: ParameterValues): number {
  if (name === 'delay_queue_high_watermark') return values.delay_queue_size;
  if (name === 'delay_queue_low_watermark') return values.delay_queue_high_watermark - 4;
  return parameterRanges[name].max;
}

/** What is wrong with a line of hp-vt.conf; `line` counts from 1, 0: with the file as a whole. */
export interface ParameterFault {
  readonly line: number;
  readonly message: string;
}

export interface ReadParameters {
  readonly values: ParameterValues;
  readonly faults: readonly ParameterFault[];
}

interface Written {
  readonly value: number;
  readonly line: number;
}

/** Reads an hp-vt.conf. Whatever it holds there are values; what could not be used is among the faults. */
export function readParameters(text: string): ReadParameters {
  const faults: ParameterFault[] = [];
  const written = new Map<ParameterName, Written>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const content = raw.replace(/#.*/, '').trim();
    if (content === '') continue;
    const [, name = '', value = ''] = /^([A-Za-z_]+)\s*=\s*(.*)$/.exec(content) ?? [];
    const known = parameterNames.find((each) => each === name.toLowerCase());
    if (known === undefined) {
      faults.push({ line, message: `"${content}" is no parameter of the virus throttle` });
    } else if (!/^\d{1,9}$/.test(value)) {
      faults.push({ line, message: `${known} is "${value}", which is no whole number` });
    } else {
      written.set(known, { value: Number(value), line });
    }
  }
  return { values: withinRanges(written, faults), faults };
}

/** In the order of the names, because each range may depend on the values before it. */
function withinRanges(
  written: ReadonlyMap<ParameterName, Written>,
  faults: ParameterFault[],
): ParameterValues {
  const values = Object.fromEntries(
    parameterNames.map((name) => [name, parameterRanges[name].default]),
  ) as Record<ParameterName, number>;
  for (const name of parameterNames) {
    const { min, default: usual } = parameterRanges[name];
    const max = highestValue(name, values);
    const own = written.get(name);
    if (own !== undefined && own.value >= min && own.value <= max) {
      values[name] = own.value;
      continue;
    }
    // The default may itself be out of a range that other values have made smaller.
    values[name] = Math.min(Math.max(usual, min), max);
    if (own === undefined) continue;
    faults.push({
      line: own.line,
      message: `${name} is ${own.value}, out of its range ${min} to ${max}; ${values[name]} is used`,
    });
  }
  return values;
}
