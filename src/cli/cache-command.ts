/** `wormgate cache …`: one command for the cache of the running server. */
import { connectConsole } from '../admin/console-client.ts';
import { consoleLine } from './arguments.ts';
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
  const connection = await connectConsole(dataFolder);
  if (!connection.ok) {
    output.complain(`wormgate: ${connection.message}`);
    return connection.exitCode;
  }
  const line = typed.line.replace(/^virus/, 'cache');
  const answer = await connection.client.send([line], 'console');
  connection.client.close();
  if (!answer.ok) {
    output.complain(`wormgate: ${answer.message}`);
    return answer.exitCode;
  }
  const [reply] = answer.replies;
  if (reply?.ok === true) output.print(reply.text);
  else output.complain(reply?.text ?? 'no reply');
  return reply?.ok === true ? 0 : 1;
}
