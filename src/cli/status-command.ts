/** `wormgate status`: the throttle's report of the running server, or its advice. */
import { connectConsole } from '../admin/console-client.ts';
import type { Output } from './output.ts';

export interface StatusOptions {
  /** The address of one server behind the egress gateway; undefined: all together. */
  readonly source: string | undefined;
  readonly isAdvice: boolean;
}

/** Prints it; gives the exit code (docs/operations.md). */
export async function runStatus(
  dataFolder: string,
  options: StatusOptions,
  output: Output,
): Promise<number> {
  const connection = await connectConsole(dataFolder);
  if (!connection.ok) {
    output.complain(`wormgate: ${connection.message}`);
    return connection.exitCode;
  }
  const answer = await connection.client.status(options.source, options.isAdvice);
  connection.client.close();
  if (!answer.ok) {
    output.complain(`wormgate: ${answer.message}`);
    return answer.exitCode;
  }
  if (answer.text === undefined) {
    output.complain(`wormgate: nothing is known of ${options.source}`);
    return 1;
  }
  output.print(answer.text);
  return 0;
}
