/**
 * `npm run bench -- fleet [SECONDS]`: what it costs to serve with several processes, each load for SECONDS (3); and what it takes to share between machines, all of them on this one, around a
 * redis-server: how long a pattern is away from blocking everywhere, how many commands go through in a
 * second, and how long a new machine needs to have what the others have.
 */
import { cpus } from 'node:os';
import { measureCatchUp, measureSpread, measureThroughput } from './fleet/machines.ts';
import { measureWorkers } from './fleet/workers.ts';

const patternCount = 100_000;

await measureWorkers(Number(process.argv[2] ?? 3));

const ends: (() => unknown)[] = [];
const cleanup = { after: (end: () => unknown) => void ends.unshift(end) };
try {
  console.log(`Node.js ${process.version}, ${cpus().length} processors`);
  for (const count of [3, 10]) {
    const { median, p99, longest, samples } = await measureSpread(cleanup, count);
    const figures = [median, p99, longest].map((ms) => ms.toFixed(1)).join(' / ');
    console.log(
      `${count} machines, from the answer to "virus add" to a block on another: median / p99 / longest ${figures} ms of ${samples}`,
    );
    for (const end of ends.splice(0)) await end();
  }
  const through = await measureThroughput(cleanup, patternCount);
  const { answeredPerSecond, followedPerSecond, nodes, waiting } = through;
  console.log(
    `${patternCount} commands on one of 3 machines: ${answeredPerSecond.toFixed(0)} a second answered, ${followedPerSecond.toFixed(0)} a second in force on all; at most ${waiting} waited`,
  );
  console.log(
    `CPU of a command: ${through.ownCpu.toFixed(0)} µs where it is typed, ${through.otherCpu.toFixed(0)} µs where it is followed; ${through.residentMiB.toFixed(0)} MiB resident with ${patternCount} patterns`,
  );
  const { readyMs, completeMs, cpuMs, snapshotBytes, residentMiB } = await measureCatchUp(
    cleanup,
    nodes,
  );
  console.log(
    `a new machine: ready after ${readyMs.toFixed(0)} ms, has all ${patternCount} patterns after ${completeMs.toFixed(0)} ms more and ${cpuMs.toFixed(0)} ms of CPU in all; ${residentMiB.toFixed(0)} MiB resident, ${(snapshotBytes / 1024).toFixed(0)} KiB of snapshot`,
  );
} finally {
  for (const end of ends) await end();
}
