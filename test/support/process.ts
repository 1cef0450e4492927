/** What a process holds, looked at from outside (Linux). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** How many TCP and unix sockets a process has open, listening ones included. */
export function socketCount(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  let count = 0;
  for (const name of readdirSync(folder)) {
    try {
      if (readlinkSync(`${folder}/${name}`).startsWith('socket:')) count += 1;
    } catch {
      // Closed since the folder was read.
    }
  }
  return count;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
