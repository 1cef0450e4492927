/**
 * Closing a connection whose client is still sending (RFC 9112 §9.6): our side is ended behind the
 * answer, and what still arrives is read and thrown away for a while. Closing outright would make the
 * kernel reset the connection, and the client might never see why it was refused.
 */
import type { Socket } from 'node:net';

/** The longest pause, the longest time and the most bytes that a client gets to finish in. */
const pauseMs = 2000;
const lingerMs = 10_000;
const bytesMax = 64 * 1024 * 1024;

/** Takes the socket from the parser, ends it, and destroys it when the client has done so too. */
export function linger(socket: Socket): void {
  const give = () => socket.destroy();
  socket.removeAllListeners('data');
  socket.setTimeout(pauseMs, give);
  const timer = setTimeout(give, lingerMs);
  let byteCount = 0;
  socket.on('data', (chunk: Buffer) => {
    byteCount += chunk.length;
    if (byteCount > bytesMax) give();
  });
  socket.once('end', give);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  socket.end();
}

/** What was written up to this size goes out in the first packets, whoever is at the other end. */
const smallBytes = 8192;

/**
 * Ends our side behind an answer. Closing outright is cheapest, but makes the kernel reset the connection
 * if the client sends anything more, and what is still on its way is lost then. `hasMore`: it has sent
 * more already.
 */
export function endBehindAnswer(socket: Socket, hasMore: boolean): void {
  if (hasMore || mayBeOnItsWay(socket)) linger(socket);
  else socket.destroy();
}

/** Whether part of what was written may not have reached the client yet. */
export function mayBeOnItsWay(socket: Socket): boolean {
  return socket.writableLength > 0 || socket.bytesWritten > smallBytes;
}

/** Ends a connection that nothing more is expected on; what is written has `waitMs` to go out. */
export function endSlowly(socket: Socket, waitMs: number): void {
  socket.setTimeout(waitMs, () => socket.destroy());
  socket.destroySoon();
}
