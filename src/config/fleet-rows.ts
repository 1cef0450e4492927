/** `[Fleet]`: on how much of a machine, and on how many machines, one wormgate runs. */
import { availableParallelism } from 'node:os';
import { defineSection } from './table.ts';
import { accept, integer, scalar, type ValueType } from './value.ts';

/** The most worker processes; also the largest number that may be written. */
export const workersMax = 256;

const number = integer({ min: 1, max: workersMax });

const workers: ValueType<number> = scalar(`auto or ${number.description}`, (text) =>
  text.toLowerCase() === 'auto'
    ? accept(Math.min(availableParallelism(), workersMax))
    : number.parse(text),
);

export const fleetSection = defineSection({
  name: 'Fleet',
  help: 'On how many processors of the machine wormgate works.',
  rows: {
    Workers: {
      type: workers,
      default: '1',
      example: 'auto',
      live: false,
      help: 'How many processes serve requests; auto is one for each processor. 1 is a single process. With more of them a further process, the primary, accepts connections, hands them to the workers in turn, and keeps everything else: patterns, journal, logs, throttle, console. Bounds such as MaxConnections, MaxOriginConnections and MaxCacheSize are divided among the workers (docs/scale.md).',
    },
    WorkerTimeout: {
      type: integer({ min: 1, max: 300 }, 'seconds'),
      default: '10',
      live: true,
      help: 'A worker that does not answer the primary for so long is killed, and another takes its place. A console command waits no longer for its workers.',
    },
  },
});
