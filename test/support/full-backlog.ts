/**
 * A port that neither accepts nor refuses: its server's thread sleeps, and the queue of connections
 * that wait for it is full, so that the kernel leaves further ones unanswered.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Cleanup } from './cleanup.ts';

const sleeper = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

/** Starts it and resolves to its port; the test's end ends it. */
export async function startFullBacklog(test: Cleanup): Promise<number> {
  const worker = new Worker(sleeper, { eval: true });
  const [port]: number[] = await once(worker, 'message');
  if (port === undefined) throw new Error('the worker has no port');
  const sockets: Socket[] = [];
  test.after(async () => {
    for (const socket of sockets) socket.destroy();
    await worker.terminate();
  });
  for (let waitsInVain = false; !waitsInVain; ) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    waitsInVain = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 200, true)),
    ]);
  }
  return port;
}
