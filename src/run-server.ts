/** The course of `wormgate start`: settings read, the server started, a signal awaited, the end. */
import { describeError } from './config/fault.ts';
import { formatFault, formatWarning, loadSettings } from './config/load.ts';
import { isWorkerProcess, runWorker } from './worker-process.ts';
import { type RunOptions, WormgateServer, warn } from './wormgate.ts';

/** Exit codes of `wormgate start` (docs/operations.md). */
export const exitCodes = { ended: 0, cannotStart: 1, badConfiguration: 2 } as const;

/** Runs a server until a signal ends it; resolves to the exit code. Prints `wormgate ready` when it serves. */
export async function runServer(options: RunOptions): Promise<number> {
  if (isWorkerProcess()) return await runWorker();
  const loaded = loadSettings(options.configFile);
  if (!loaded.ok) {
    for (const fault of loaded.faults) process.stderr.write(`${formatFault(fault)}\n`);
    return exitCodes.badConfiguration;
  }
  for (const warning of loaded.warnings) process.stderr.write(`${formatWarning(warning)}\n`);
  // `node` is many programs: by this name `pgrep` finds the server, and `ps` says which. It must not be
  // longer than the command line, or is cut off.
  process.title = `wormgate ${options.dataFolder}`;
  const server = new WormgateServer(options, loaded);
  const ended = server.heedSignals();
  try {
    await server.start();
  } catch (error) {
    warn(`cannot start: ${describeError(error)}`);
    await server.stop(0);
    return exitCodes.cannotStart;
  }
  process.stdout.write('wormgate ready\n');
  await ended;
  await server.drain();
  return exitCodes.ended;
}
