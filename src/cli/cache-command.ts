/** `wormgate cache …`: one command for the cache of the running server. */
import { consoleLine } from './arguments.ts';
import { sendCommand } from './one-command.ts';
import type { Output } from './output.ts';

/** `args` is what follows `cache`; gives the exit code (docs/operations.md). */
export async function runCache(
  dataFolder: string,
  args: readonly string[],
  output: Output,
): Promise<number> {
  const typed = consoleLine(args);
  if (!typed.ok) {
    output.complain(`wormgate: ${typed.message}`);
    return 1;
  }
  return await sendCommand(dataFolder, typed.line.replace(/^virus/, 'cache'), output);
}
