/** An operator at the console, for the flow tests: `wormgate virus …` and what a site's visitor then sees. */
import assert from 'node:assert/strict';
import { type ConsoleClient, connectConsole } from '../../src/admin/console-client.ts';
import { runVirus } from '../../src/cli/virus-command.ts';
import { askRaw, isSlipped, statusOf } from './raw.ts';
import type { CliResult, Wormgate } from './wormgate.ts';

/** `wormgate virus`, without the cost of a process. */
export async function virus(wormgate: Wormgate, ...args: string[]): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const code = await runVirus(['--data', wormgate.dataFolder, ...args], {
    print: (text) => {
      stdout += `${text}\n`;
    },
    complain: (text) => {
      stderr += `${text}\n`;
    },
  });
  return { code, stdout, stderr };
}

/** Runs a command that must be carried out, and gives what it printed. */
export async function done(wormgate: Wormgate, ...args: string[]): Promise<string> {
  const result = await virus(wormgate, ...args);
  assert.deepEqual([result.code, result.stderr], [0, ''], args.join(' '));
  return result.stdout;
}

/** Runs a command that must be refused, and gives the refusal. */
export async function refused(wormgate: Wormgate, ...args: string[]): Promise<string> {
  const result = await virus(wormgate, ...args);
  assert.deepEqual([result.code, result.stdout], [1, ''], args.join(' '));
  return result.stderr;
}

/** True when a request for the target is slipped; it must be served otherwise. */
export async function isBlocked(wormgate: Wormgate, target: string): Promise<boolean> {
  const answer = await askRaw(wormgate.port, `GET ${target} HTTP/1.1`);
  if (isSlipped(answer)) return true;
  assert.equal(statusOf(answer), 200, answer.text);
  return false;
}

/** A connection to the console; the caller closes it. */
export async function openConsole(wormgate: Wormgate): Promise<ConsoleClient> {
  const connection = await connectConsole(wormgate.dataFolder);
  if (!connection.ok) throw new Error(connection.message);
  return connection.client;
}
