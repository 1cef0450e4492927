/** `wormgate cache …`: one command for the cache of the running server. */
import { renderCacheHelp } from '../admin/cache-commands.ts';
import { consoleLine, takeDataFolder } from './arguments.ts';
import { sendCommand } from './one-command.ts';
import type { Output } from './output.ts';

/** `args` is what follows `cache`; gives the exit code (docs/operations.md). */
export async function runCache(args: readonly string[], output: Output): Promise<number> {
  const data = takeDataFolder(args);
  if (!data.ok) {
    output.complain(`wormgate: ${data.message}`);
    return 1;
  }
  const { dataFolder, rest } = data;
  // Help needs no server.
  if (rest.length === 0 || (rest.length === 1 && /^(?:[-/][h?]|--help)$/.test(rest[0] ?? ''))) {
    output.print(renderCacheHelp());
    return 0;
  }
  const typed = consoleLine(rest, 'cache');
  if (!typed.ok) {
    output.complain(`wormgate: ${typed.message}`);
    return 1;
  }
  return await sendCommand(dataFolder, typed.line, output);
}
