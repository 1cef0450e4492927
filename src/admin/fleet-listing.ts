/** What `virus fleet` prints: the engine, what waits for it, and the machines. Pure. */
import { renderTable, tableOf } from './listing.ts';

/** A machine of the fleet. */
export interface FleetNode {
  readonly name: string;
  readonly version: string;
  /** For how long it was not heard of, by the engine's time. */
  readonly silentMs: number;
  /** How many commands it has not followed yet. */
  readonly behind: number;
  /** How many of its own commands wait for the engine. */
  readonly waiting: number;
  readonly patterns: number;
}

/** The fleet as this machine sees it. */
export interface FleetReport {
  /** The engine's address. */
  readonly engine: string;
  /** The name of this machine. */
  readonly node: string;
  readonly state: 'connecting' | 'following' | 'refused' | 'lost';
  /** What is wrong; empty: nothing is. */
  readonly why: string;
  /** When the engine last answered, in milliseconds since the epoch; 0: never. */
  readonly lastContactMs: number;
  /** How many commands of this machine wait. */
  readonly waiting: number;
  readonly nodes: readonly FleetNode[];
}

const states = {
  connecting: 'is being connected to',
  following: 'is followed',
  refused: 'takes no commands',
  lost: 'cannot be reached',
} as const;

const header = ['NODE', 'VERSION', 'LAST CONTACT', 'BEHIND', 'WAITING', 'PATTERNS'];

function secondsAgo(ms: number): string {
  return `${Math.round(ms / 1000)} s ago`;
}

/** The reply to `virus fleet`. */
export function renderFleet(report: FleetReport | undefined, nowMs: number): string {
  if (report === undefined)
    return 'This machine is in no fleet; [Fleet] Url names the server of one.';
  const { engine, node, state, why, lastContactMs, waiting, nodes } = report;
  const contact = lastContactMs === 0 ? 'never' : secondsAgo(Math.max(0, nowMs - lastContactMs));
  const lines = [
    `${engine} ${states[state]}${why === '' ? '.' : `: ${why}`}`,
    `Last contact: ${contact}. Commands that wait: ${waiting}. This machine: ${node}.`,
  ];
  const table = tableOf(header, nodes, nodes.length, (each) => [
    each.name,
    each.version,
    secondsAgo(each.silentMs),
    String(each.behind),
    String(each.waiting),
    String(each.patterns),
  ]);
  return nodes.length === 0 ? lines.join('\n') : `${lines.join('\n')}\n${renderTable(table, '')}`;
}
