/** The load: runs wrk and reads what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { loadCore } from './workplace.ts';

/** What wrk reports. Latencies are undefined when no request was answered. */
export interface WrkReport {
  readonly requestCount: number;
  readonly seconds: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Connections that failed, by what they failed at. */
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'timeout', number>>;
  /** Answers with a status of 400 or above. */
  readonly refusedCount: number;
}

const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

function durationMs(text: string | undefined): number | undefined {
  const parts = /^([\d.]+)(us|ms|s|m|h)$/.exec(text ?? '');
  const unit = unitMs[parts?.[2] ?? ''];
  return unit === undefined ? undefined : Number(parts?.[1]) * unit;
}

/** Reads wrk's output; undefined when it is not a report. */
export function parseWrk(output: string): WrkReport | undefined {
  const total = /^ *(\d+) requests in ([\d.]+[a-z]+),/m.exec(output);
  const durationInMs = durationMs(total?.[2]);
  if (total === null || durationInMs === undefined) return undefined;
  const requestCount = Number(total[1]);
  const latency = (percent: number) =>
    requestCount === 0
      ? undefined
      : durationMs(new RegExp(`^ *${percent}% +(\\S+)$`, 'm').exec(output)?.[1]);
  const counts =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  const [connect = 0, read = 0, write = 0, timeout = 0] = counts.slice(1).map(Number);
  return {
    requestCount,
    seconds: durationInMs / 1_000,
    p50Ms: latency(50),
    p99Ms: latency(99),
    errors: { connect, read, write, timeout },
    refusedCount: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
  };
}

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Whole seconds. */
  readonly seconds: number;
  /** Asks for the end of the connection, so that each request has one of its own. */
  readonly closing: boolean;
  /** A script that paces the load; it then runs only when nothing else on its core wants to. */
  readonly paceScript?: string;
}

/**
 * What a client sends at least. Without them the Core Rule Set takes the request for a robot's, and
 * its alarms would be what is measured.
 */
const headers = [
  'Host: www.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Accept: */*',
];

function wrkArguments(load: Load): string[] {
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--latency'];
  for (const header of headers) args.push('-H', header);
  if (load.closing) args.push('-H', 'Connection: close');
  if (load.paceScript !== undefined) args.push('-s', load.paceScript);
  args.push(`http://127.0.0.1:${load.port}${load.path}`);
  return args;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs wrk to its end. */
export async function runWrk(load: Load): Promise<WrkReport> {
  // The idle class gives way at once to the origin and to a client whose latency is measured.
  const pacing = load.paceScript === undefined ? [] : ['chrt', '--idle', '0'];
  const command = ['-c', String(loadCore), ...pacing, 'wrk', ...wrkArguments(load)];
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  await new Promise((resolve) => {
    child.on('close', resolve);
    child.on('error', resolve);
  });
  running.delete(child);
  const report = parseWrk(output);
  if (report === undefined) throw new Error(`wrk failed: ${output}`);
  return report;
}
