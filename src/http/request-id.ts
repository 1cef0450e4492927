/**
 * Request ids: short, unique over restarts with overwhelming likelihood, and free to make. A random
 * part a process and a counter; they identify, they are not secrets.
 */
import { randomBytes } from 'node:crypto';

const prefix = randomBytes(5).toString('hex');
let counter = 0;

/** The next id, e.g. `9f3c01d2aa-4f`. */
export function nextRequestId(): string {
  counter += 1;
  return `${prefix}-${counter.toString(36)}`;
}
