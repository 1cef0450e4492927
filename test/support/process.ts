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

/**
 * How many IPv4 connections are held by whoever listens on port `local`, and by whoever has connected
 * to port `remote`.
 */
export function connectionCount(local: number, remote: number): number {
  const listening = '0A';
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return rows.filter((row) => {
    const [, own = '', other = '', state, , , , , , inode] = row.trim().split(/\s+/);
    const port = (end: string) => Number.parseInt(end.split(':')[1] ?? '', 16);
    // Without an inode the kernel alone still knows of it.
    if (state === listening || inode === '0') return false;
    return port(own) === local || port(other) === remote;
  }).length;
}
