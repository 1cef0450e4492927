/**
 * `npm run bench -- fleet [SECONDS]`: what it costs to serve with several processes. Each load runs for SECONDS, 3
 * unless it is given. Aims are printed beside what was found.
 */
import { measureWorkers } from './fleet/workers.ts';

const seconds = Number(process.argv[2] ?? 3);
await measureWorkers(seconds);
