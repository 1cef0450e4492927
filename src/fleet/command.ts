/**
 * What stands in the fleet's stream: commands, as the fields of the journal's records, and the marks of a
 * new epoch. What others wrote is read strictly; what makes no sense is left out. Pure.
 */
import type { Fields } from '../virus/journal-line.ts';
import { changeOf, fieldsOf } from '../virus/journal-record.ts';
import { isShared, type SharedChange } from './shared-change.ts';

/** A change on its way through the stream. */
export interface Command {
  readonly change: SharedChange;
  /**
   * Set when it had its place in the order before: the stamp of that place, or 0 when its node has made
   * it before it joined the fleet. It counts unless something later was decided about the same.
   */
  readonly was?: number;
}

/** Commands of one node, in its order. The first one's number is `seq`; undefined: one that makes no sense. */
export interface CommandEntry {
  readonly kind: 'commands';
  readonly position: string;
  /** One run of a node: its numbers begin with 1. */
  readonly session: string;
  readonly seq: number;
  readonly commands: readonly (Command | undefined)[];
}

/** From here on a new epoch is counted, because the engine was started anew or has lost something. */
export interface EpochEntry {
  readonly kind: 'epoch';
  readonly position: string;
  readonly id: string;
  /** The run of the engine in which it begins. */
  readonly run: string;
  /** Whether the snapshot was made anew for it: nodes have to begin with that. */
  readonly isSeed: boolean;
}

export type Entry = CommandEntry | EpochEntry;

/** So many commands, and about so many bytes, are in one entry at most. */
export const entryCommandsMax = 500;
export const entryBytesMax = 64 * 1024;

const sessionForm = /^[0-9a-f]{16}$/;
/** Times in milliseconds, and numbers that a Number holds. */
const positionForm = /^\d{1,15}-\d{1,15}$/;

/** A command as JSON has it. */
export function commandFields({ change, was }: Command): Fields {
  return was === undefined ? fieldsOf(change) : { ...fieldsOf(change), was };
}

/** The command of such fields; undefined when it is none. */
export function commandOf(fields: unknown): Command | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined;
  const known = fields as Fields;
  const change = changeOf(known);
  if (change === undefined || !isShared(change)) return undefined;
  const { was } = known;
  if (was === undefined) return { change };
  return isStamp(was) ? { change, was } : undefined;
}

/** Whether a value read can be a stamp. */
export function isStamp(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isSession(value: unknown): value is string {
  return typeof value === 'string' && sessionForm.test(value);
}

export function isPosition(value: unknown): value is string {
  return typeof value === 'string' && positionForm.test(value);
}

/** Whether one place in the stream comes before another. */
export function isBefore(position: string, other: string): boolean {
  const [ms = 0, number = 0] = position.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return ms < otherMs || (ms === otherMs && number < otherNumber);
}

/** The commands of a list as JSON has it; undefined when it is no list. */
export function commandsOf(list: unknown): (Command | undefined)[] | undefined {
  return Array.isArray(list) ? list.map(commandOf) : undefined;
}

/** The entry of a position and the fields there; undefined when it is none of ours. */
export function entryOf(position: string, fields: ReadonlyMap<string, string>): Entry | undefined {
  const id = fields.get('epoch');
  if (id !== undefined) {
    const run = fields.get('run') ?? '';
    return { kind: 'epoch', position, id, run, isSeed: fields.get('seed') === '1' };
  }
  const session = fields.get('session');
  const seq = Number(fields.get('seq'));
  if (!isSession(session) || !isStamp(seq)) return undefined;
  const commands = commandsOf(parsed(fields.get('commands') ?? ''));
  if (commands === undefined) return undefined;
  return { kind: 'commands', position, session, seq, commands };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
