/**
 * Notices that a client has gone while nothing is read from it: who sent a CONNECT or an upgrade and ends
 * its side before it is answered wants no answer any more. What it sends early stays unread.
 */
import type { Duplex } from 'node:stream';

/** Destroys the client's socket when it ends; gives what stops the watch before the socket is read. */
export function destroyWhenEnded(client: Duplex): () => void {
  const look = () => {
    // Reading nothing is what makes the end known.
    if (client.readableLength === 0) client.read();
  };
  const end = () => client.destroy();
  client.on('readable', look);
  client.once('end', end);
  return () => {
    client.removeListener('readable', look);
    client.removeListener('end', end);
  };
}
