/** The command line of the benchmark. Pure. */

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  /** Empty: all of them. */
  readonly scenarios: readonly string[];
  /** With access logs off, on, or first the one and then the other. */
  readonly logModes: readonly boolean[];
  /** Whether docs/benchmarks.md and its drawing are written. */
  readonly write: boolean;
}

export const usage = `npm run bench -- proxies [--rounds N] [--seconds S] [--scenario NAME]... [--logs off|on]
                          [--quick] [--write]`;

const logModes: Readonly<Record<string, readonly boolean[]>> = { off: [false], on: [true] };

/** Reads arguments; text says what is wrong with them. */
export function parseOptions(
  args: readonly string[],
  scenarioNames: readonly string[],
): Options | string {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  for (let at = 0; at < args.length; at += 1) {
    const name = args[at] as string;
    if (name === '--quick' || name === '--write') {
      flags.add(name);
    } else if (['--rounds', '--seconds', '--scenario', '--logs'].includes(name)) {
      at += 1;
      const value = args[at];
      if (value === undefined) return `${name} needs a value`;
      values.set(name, [...(values.get(name) ?? []), value]);
    } else {
      return `unknown: ${name}`;
    }
  }
  const quick = flags.has('--quick');
  const rounds = Number(values.get('--rounds')?.at(-1) ?? (quick ? 1 : 3));
  const seconds = Number(values.get('--seconds')?.at(-1) ?? (quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) return '--rounds needs a whole number from 1 on';
  if (!Number.isInteger(seconds) || seconds < 1) return '--seconds needs a whole number from 1 on';
  const logs = values.get('--logs')?.at(-1);
  const modes = logs === undefined ? [false, true] : logModes[logs];
  if (modes === undefined) return '--logs is off or on';
  const scenarios = values.get('--scenario') ?? [];
  const unknown = scenarios.find((name) => !scenarioNames.includes(name));
  if (unknown !== undefined) {
    return `no scenario is called ${unknown}; there are: ${scenarioNames.join(', ')}`;
  }
  const isWhole = scenarios.length === 0 && logs === undefined && !quick;
  return {
    rounds,
    seconds,
    quick,
    scenarios,
    logModes: modes,
    write: flags.has('--write') || isWhole,
  };
}
