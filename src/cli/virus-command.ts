/**
 * `wormgate virus …`, and the program `virus`: one console command to the running server. Its reply
 * goes to stdout, a refusal to stderr. The exit codes are those of docs/operations.md.
 */
import { renderCommandHelp, renderHelp } from '../admin/command-reference.ts';
import { commandSyntax } from '../admin/commands.ts';
import { parseLine } from '../admin/grammar.ts';
import { consoleLine, takeDataFolder } from './arguments.ts';
import { sendCommand, withClient } from './one-command.ts';
import type { Output } from './output.ts';
import { runScript } from './run-script.ts';

/** `args` is what follows `virus`; gives the exit code. */
export async function runVirus(args: readonly string[], output: Output): Promise<number> {
  const data = takeDataFolder(args);
  if (!data.ok) {
    output.complain(`wormgate: ${data.message}`);
    return 1;
  }
  const { dataFolder, rest } = data;
  const [word, ...operands] = rest;
  if (word === '--help') {
    output.print(renderHelp());
    return 0;
  }
  if (word?.toLowerCase() === 'run') {
    const [file] = operands;
    if (file !== undefined && /^[-/][h?]$/.test(file)) {
      output.print(renderCommandHelp('run'));
      return 0;
    }
    if (file === undefined || file === '' || operands.length > 1) {
      output.complain(`One file is run at a time. Syntax: ${commandSyntax('run')}`);
      return 1;
    }
    return await withClient(dataFolder, output, (client) => runScript(file, client, output));
  }
  const typed = consoleLine(rest);
  if (!typed.ok) {
    output.complain(`wormgate: ${typed.message}`);
    return 1;
  }
  const exitCode = await sendCommand(dataFolder, typed.line, output);
  // Help needs no server to be useful, though the exit code says that there is none.
  const parsed = exitCode === 3 ? parseLine(typed.line) : undefined;
  if (parsed?.ok === true && parsed.command.asksHelp) {
    output.print(renderCommandHelp(parsed.command.word));
  }
  return exitCode;
}
