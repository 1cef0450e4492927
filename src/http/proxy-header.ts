/** Waits for the PROXY protocol header that a connection begins with, and lets nothing else pass. */
import type { Socket } from 'node:net';
import { readProxyHeader } from './proxy-protocol.ts';

export interface ProxyHeaderOptions {
  readonly waitMs: number;
  /** The header is there; what stands behind it has been put back. `source`: whom it speaks for. */
  onHeader(source: string | undefined): void;
  /** It is broken, late, or never came; the socket is closed. */
  onRefused(): void;
}

/** Reads the header off a socket that nobody reads yet; the socket is paused when it is there. */
export function awaitProxyHeader(socket: Socket, options: ProxyHeaderOptions): void {
  let held: Buffer = Buffer.alloc(0);
  const stop = () => {
    clearTimeout(timer);
    socket.pause();
    socket.removeListener('data', take);
    socket.removeListener('end', refuse);
    socket.removeListener('error', refuse);
    socket.removeListener('close', refuse);
  };
  const refuse = () => {
    stop();
    socket.on('error', () => {});
    socket.destroy();
    options.onRefused();
  };
  const take = (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const header = readProxyHeader(held);
    if (header.kind === 'incomplete') return;
    if (header.kind === 'broken') return refuse();
    stop();
    if (header.end < held.length) socket.unshift(held.subarray(header.end));
    options.onHeader(header.source);
  };
  const timer = setTimeout(refuse, options.waitMs);
  socket.on('data', take);
  socket.once('end', refuse);
  socket.once('error', refuse);
  socket.once('close', refuse);
}
