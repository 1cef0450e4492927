/**
 * Disks that are full when a test wants them to be: a tmpfs of a few pages, where mounting is allowed,
 * and a file-size limit of zero put on a running process, which needs no rights.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';

/** A disk that can be filled up and emptied again. */
export interface SmallDisk {
  /** Leaves no room for another byte. */
  fill(): void;
  /** Gives the room back. */
  free(): void;
}

function run(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** A folder that is a tmpfs of 512 KiB; undefined when this process may not mount one. */
export function mountSmallDisk(cleanup: Cleanup): (SmallDisk & { folder: string }) | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-disk-'));
  if (!run('mount', '-t', 'tmpfs', '-o', 'size=512k,mode=0700', 'wormgate-test', folder)) {
    rmdirSync(folder);
    return undefined;
  }
  cleanup.after(() => {
    run('umount', '-l', folder);
    rmdirSync(folder);
  });
  const filler = join(folder, 'filler');
  mkdirSync(filler);
  let count = 0;
  const fill = () => {
    // Pages first, then whatever a page's rest would still take.
    for (const size of [65_536, 4096, 1]) {
      try {
        for (;;) writeFileSync(join(filler, String(count++)), Buffer.alloc(size));
      } catch {
        // Full for this size.
      }
    }
  };
  return {
    folder,
    fill,
    free: () => {
      rmSync(filler, { recursive: true, force: true });
      mkdirSync(filler);
    },
  };
}

/** Takes from a process the right to make any file longer; undefined when prlimit is not there. */
export function limitFileSize(pid: number): SmallDisk | undefined {
  const limit = (size: string) => run('prlimit', '--pid', String(pid), `--fsize=${size}:`);
  if (!limit('unlimited')) return undefined;
  return { fill: () => limit('0'), free: () => limit('unlimited') };
}
