/**
 * `npm run bench -- tune [LINES]`: how many lines of a log `wormgate tune` reads in a second, on a log
 * made of a real site's lines, as it is and packed. The whole command counts, both of its readings.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { projectPath } from '../../test/support/paths.ts';
import { median } from './proxies/figures.ts';

const roundCount = 3;
const lineCount = Number(process.argv[2] ?? 1_000_000);
const program = projectPath('dist', 'bin', 'wormgate.cjs');
const site = gunzipSync(readFileSync(projectPath('test/data/site-b-combined.log.gz')));
const siteLines = site.filter((byte) => byte === 0x0a).length;
const folder = mkdtempSync(join(tmpdir(), 'wormgate-bench-'));

function measure(file: string): number {
  const times = Array.from({ length: roundCount }, () => {
    const begin = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [program, 'tune', file]);
    if (status !== 0) throw new Error(String(stderr));
    return performance.now() - begin;
  });
  return median(times);
}

try {
  const copies = Math.ceil(lineCount / siteLines);
  const plain = join(folder, 'access.log');
  const packed = join(folder, 'access.log.gz');
  const log = Buffer.concat(Array.from({ length: copies }, () => site));
  writeFileSync(plain, log);
  writeFileSync(packed, gzipSync(log, { level: 1 }));
  console.log(`Node.js ${process.version}, ${(copies * siteLines).toLocaleString('en')} lines`);
  for (const file of [plain, packed]) {
    const seconds = measure(file) / 1_000;
    const rate = Math.round((copies * siteLines) / seconds).toLocaleString('en');
    const size = (statSync(file).size / 2 ** 20).toFixed(0);
    const name = file === plain ? 'plain' : 'gzip';
    console.log(
      `${name}, ${size} MiB: ${seconds.toFixed(2)} s, ${rate} lines a second, read twice`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
