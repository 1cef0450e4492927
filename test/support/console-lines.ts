/** The console of a running wormgate, spoken to over its socket: a test of hundreds of commands cannot start a process for each. */
import assert from 'node:assert/strict';
import { type ConsoleClient, connectConsole } from '../../src/admin/console-client.ts';
import type { Wormgate } from './wormgate.ts';

/** A connection of the test's own, to be closed by it. */
export async function openConsole(wormgate: Wormgate): Promise<ConsoleClient> {
  const connection = await connectConsole(wormgate.dataFolder);
  if (!connection.ok) throw new Error(connection.message);
  return connection.client;
}

/** Carries out lines, each of which must succeed; gives the replies. */
export async function obey(wormgate: Wormgate, ...lines: readonly string[]): Promise<string[]> {
  const client = await openConsole(wormgate);
  const answer = await client.send(lines, 'console');
  client.close();
  assert.ok(answer.ok, JSON.stringify(answer));
  for (const reply of answer.replies) assert.ok(reply.ok, reply.text);
  return answer.replies.map(({ text }) => text);
}

/** What the console says is there. */
export interface ConsoleState {
  /** `"PATTERN" LENGTH`, sorted. */
  readonly patterns: readonly string[];
  /** With quotation marks, sorted. */
  readonly keywords: readonly string[];
  readonly threshold: number;
  readonly interval: number;
  readonly autoUpdate: number;
}

/** The first thousand patterns, the keywords and the values that the console can set. */
export async function stateOf(wormgate: Wormgate): Promise<ConsoleState> {
  const asked = ['virus list', 'virus list -k', 'virus show'];
  const [list = '', keywords = '', screen = ''] = await obey(wormgate, ...asked);
  const rows = (table: string, row: RegExp) =>
    table
      .split('\n')
      .flatMap((line) => row.exec(line)?.slice(1, 2) ?? [])
      .sort();
  const value = (label: string) => Number(new RegExp(`^${label}: (\\d+)`, 'm').exec(screen)?.[1]);
  return {
    patterns: rows(list, /^(".*" +\d+) +\S+ +\S+Z/).map((row) => row.replace(/ +(?=\d+$)/, ' ')),
    keywords: rows(keywords, /^(".*") +\S+ +\S+Z +\S+ +\d+ +\S+$/),
    threshold: value('Hit Threshold'),
    interval: value('Refresh Interval'),
    autoUpdate: value('Virus Auto Update'),
  };
}
