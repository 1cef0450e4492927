/** Notices that a client has gone which waits for a tunnel, and from which nothing is read yet. */
import type { Duplex } from 'node:stream';

/**
 * Destroys a client that ends its side before it is answered. Only who reads learns of an end, so what
 * the client sends early is read and kept, at most about `bytesMax`. Returns what stops the watch and
 * gives the bytes back.
 */
export function watchForEnd(client: Duplex, bytesMax: number): () => void {
  const early: Buffer[] = [];
  let byteCount = 0;
  const look = () => {
    while (byteCount <= bytesMax) {
      const chunk: Buffer | null = client.read();
      if (chunk === null) return;
      early.push(chunk);
      byteCount += chunk.length;
    }
  };
  const leave = () => client.destroy();
  client.on('readable', look);
  client.once('end', leave);
  return () => {
    client.removeListener('readable', look);
    client.removeListener('end', leave);
    if (byteCount > 0) client.unshift(Buffer.concat(early));
  };
}
