/**
 * CPU time as the kernel accounts it in /proc: of a process, its threads and all its descendants.
 * Linux only.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** The unit of /proc/PID/stat is 1/100 s on every architecture of Linux (USER_HZ). */
const tickMs = 10;

interface ProcessStat {
  readonly pid: number;
  readonly parentPid: number;
  /** User and system time of all threads, and of the children that have ended. */
  readonly ticks: number;
}

/** Takes a line of /proc/PID/stat apart; undefined when it is not one. */
export function parseStat(line: string): ProcessStat | undefined {
  // The name stands in parentheses and may hold blanks and parentheses itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  // Counted from the state, which is field 3: utime 14, stime 15, cutime 16, cstime 17.
  const times = fields.slice(11, 15).map(Number);
  const pid = Number.parseInt(line, 10);
  const parentPid = Number(fields[1]);
  if (times.length < 4 || ![pid, parentPid, ...times].every(Number.isInteger)) return undefined;
  return { pid, parentPid, ticks: times.reduce((sum, each) => sum + each, 0) };
}

function readStat(pid: string): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // It has ended between the listing and now.
    return undefined;
  }
}

/** The process and its living descendants. */
function familyOf(rootPid: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter((stat) => stat !== undefined);
  const family = all.filter(({ pid }) => pid === rootPid);
  for (const member of family) {
    family.push(...all.filter(({ parentPid }) => parentPid === member.pid));
  }
  return family;
}

/** The process and its living descendants, by their ids. */
export function familyPids(rootPid: number): number[] {
  return familyOf(rootPid).map(({ pid }) => pid);
}

/** CPU time that the process and its descendants have used so far. */
export function familyCpuMs(rootPid: number): number {
  return familyOf(rootPid).reduce((sum, { ticks }) => sum + ticks, 0) * tickMs;
}
