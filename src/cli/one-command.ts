/** One console command of a program, to the running server: its reply on stdout, a refusal on stderr. */
import { type ConsoleClient, connectConsole } from '../admin/console-client.ts';
import type { Output } from './output.ts';

/** Connects, uses the connection and closes it; gives the exit code (docs/operations.md). */
export async function withClient(
  dataFolder: string,
  output: Output,
  use: (client: ConsoleClient) => Promise<number>,
): Promise<number> {
  const connection = await connectConsole(dataFolder);
  if (!connection.ok) {
    output.complain(`wormgate: ${connection.message}`);
    return connection.exitCode;
  }
  try {
    return await use(connection.client);
  } finally {
    connection.client.close();
  }
}

/** Sends one line of the console's grammar; gives the exit code. */
export async function sendCommand(
  dataFolder: string,
  line: string,
  output: Output,
): Promise<number> {
  return await withClient(dataFolder, output, async (client) => {
    const answer = await client.send([line], 'console');
    if (!answer.ok) {
      output.complain(`wormgate: ${answer.message}`);
      return answer.exitCode;
    }
    const [reply] = answer.replies;
    if (reply?.ok === true) output.print(reply.text);
    else output.complain(reply?.text ?? 'no reply');
    return reply?.ok === true ? 0 : 1;
  });
}
