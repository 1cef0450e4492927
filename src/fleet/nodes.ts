/** Who is in the fleet: what each node tells of itself every few seconds, and the list of them. */
import { nodeNamePattern } from '../virus/provenance.ts';
import { isStamp } from './command.ts';
import type { Connection, Reply } from './valkey.ts';
import { keyOf, listOf, textOf } from './valkey-store.ts';

/** What a node tells of itself. */
export interface NodeReport {
  readonly name: string;
  /** One run of the node: so two machines of one name are told apart. */
  readonly session: string;
  readonly version: string;
  /** The stamp of the last command that it has followed. */
  readonly stamp: number;
  /** How many of its commands wait. */
  readonly waiting: number;
  readonly patterns: number;
}

/** A node as the list has it; `atMs` is the engine's time. */
export interface NodeRow extends NodeReport {
  readonly atMs: number;
}

/** A node that was not heard of for so long counts as absent, and is forgotten after the other. */
export const absentMs = 10_000;
const forgottenMs = 7 * 86_400_000;
/** What others have written is printed: nothing in it may steer a terminal. */
const versionForm = /^[\w.+-]{1,64}$/;

function rowOf(text: string): NodeRow | undefined {
  try {
    const row: Partial<NodeRow> = JSON.parse(text);
    const { name, session, version, stamp, waiting, patterns, atMs } = row;
    if (typeof name !== 'string' || !nodeNamePattern.test(name)) return undefined;
    if (typeof version !== 'string' || !versionForm.test(version)) return undefined;
    if (typeof session !== 'string' || ![stamp, waiting, patterns, atMs].every(isStamp)) {
      return undefined;
    }
    return row as NodeRow;
  } catch {
    return undefined;
  }
}

/** The engine's time. */
export async function engineTimeMs(connection: Connection): Promise<number> {
  const [seconds, microseconds] = listOf(await connection.call(['TIME'])).map(textOf);
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

/** What the others say: how many nodes are there, and whether another one has this node's name. */
export interface Presence {
  readonly nodes: number;
  readonly hasNamesake: boolean;
}

/** Tells of this node at the engine's time `atMs`. */
export async function announce(
  connection: Connection,
  prefix: string,
  report: NodeReport,
  atMs: number,
): Promise<Presence> {
  const nodes = keyOf(prefix, 'nodes');
  const alive = keyOf(prefix, 'alive');
  const replies: Reply[] = await Promise.all([
    connection.call(['HGET', nodes, report.name]),
    connection.call(['HSET', nodes, report.name, JSON.stringify({ ...report, atMs })]),
    connection.call(['ZADD', alive, String(atMs), report.name]),
    connection.call(['ZREMRANGEBYSCORE', alive, '-inf', String(atMs - forgottenMs)]),
    connection.call(['ZCOUNT', alive, String(atMs - absentMs), '+inf']),
  ]);
  const before = rowOf(textOf(replies[0]));
  const hasNamesake =
    before !== undefined && before.session !== report.session && atMs - before.atMs < absentMs / 2;
  return { nodes: Number(replies[4]), hasNamesake };
}

/** All nodes, by name; those not heard of for a week are taken out. */
export async function listNodes(
  connection: Connection,
  prefix: string,
  nowMs: number,
): Promise<NodeRow[]> {
  const nodes = keyOf(prefix, 'nodes');
  const flat = listOf(await connection.call(['HGETALL', nodes]));
  const rows: NodeRow[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const row = rowOf(textOf(flat[at + 1]));
    if (row !== undefined && nowMs - row.atMs < forgottenMs) rows.push(row);
    else await connection.call(['HDEL', nodes, textOf(flat[at])]);
  }
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}
