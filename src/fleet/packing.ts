/**
 * Messages as they travel: one text in a message of JSON. Node's own way for values that JSON cannot hold would
 * be used for its messages about each new connection as well, which costs a quarter of handing one over.
 */
import { deserialize, serialize } from 'node:v8';
import type { Down, Up } from './messages.ts';

/** What the channel between the processes carries. */
export interface Packed {
  readonly packed: string;
}

export function pack(message: Down | Up): Packed {
  return { packed: serialize(message).toString('base64') };
}

/** From the same program, of which each end is a process: what was packed there is what it says here. */
export function unpack<M extends Down | Up>({ packed }: Packed): M {
  return deserialize(Buffer.from(packed, 'base64')) as M;
}
