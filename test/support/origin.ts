/** Origins of a test's own: an HTTP server with a handler, or a bare socket that may break the rules. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocketServer, type Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';

export interface TestOrigin {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
}

/** An HTTP origin on a free port; the test's end closes it. */
export async function startOrigin(
  test: Cleanup,
  handler: RequestListener,
  prepare: (server: Server) => void = () => {},
): Promise<TestOrigin> {
  const server = createServer(handler);
  prepare(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address());
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, port, server };
}

export interface RawOrigin {
  readonly url: string;
  readonly port: number;
  /** Connections that were ever made. */
  connections: number;
  /** Everything that was ever received, latin1. */
  received: string;
}

/** An origin that is only a socket: `serve` is called with each connection's data so far. */
export async function startRawOrigin(
  test: Cleanup,
  serve: (socket: Socket, received: string) => void,
): Promise<RawOrigin> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    origin.connections += 1;
    let received = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      origin.received += chunk.toString('latin1');
      serve(socket, received);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address());
  const origin: RawOrigin = { url: `http://127.0.0.1:${port}`, port, connections: 0, received: '' };
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return origin;
}

function portOf(address: ReturnType<Server['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('the origin has no port');
  return address.port;
}
