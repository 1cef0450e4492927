/**
 * How long an origin may take: to accept a connection (ConnectTimeout), to begin its answer
 * (OriginTimeout), and to go on with it (OriginReadTimeout). Time that the client takes is not the
 * origin's.
 */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Attempt } from './attempt.ts';
import { OriginError } from './faults.ts';

/** Calls `action` when the connection, TLS included, stands: now, or when it does. */
export function whenConnected(socket: Socket, action: () => void): void {
  if (!socket.connecting) return action();
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', action);
}

/** Ends a request whose connection does not stand in time. */
export function limitConnecting(proxyReq: ClientRequest, connectTimeoutMs: number): void {
  const fail = () => proxyReq.destroy(new OriginError('origin_connect_timeout'));
  const timer = setTimeout(fail, connectTimeoutMs);
  const stop = () => clearTimeout(timer);
  if (proxyReq.socket !== null) whenConnected(proxyReq.socket, stop);
  proxyReq.once('close', stop);
}

/** Ends a request whose origin is silent for too long, as far as it is the origin that we wait for. */
export function limitSilence(attempt: Attempt, proxyReq: ClientRequest): void {
  const { req, res } = attempt;
  const { originTimeoutMs, originReadTimeoutMs } = attempt.forwarding.limits;
  let silenceMsMax = originTimeoutMs;
  const { socket } = proxyReq;
  if (socket === null) return;
  const judge = () => {
    const clientSends = !req.complete && !proxyReq.writableNeedDrain;
    if (clientSends || res.writableNeedDrain) {
      // Whoever waits for the client has its own timeouts; ours would not fire a second time by itself.
      socket.setTimeout(silenceMsMax);
      return;
    }
    attempt.timedOut = true;
    proxyReq.destroy(new OriginError('origin_timeout'));
  };
  proxyReq.once('response', () => {
    silenceMsMax = originReadTimeoutMs;
    socket.setTimeout(silenceMsMax);
  });
  socket.setTimeout(originTimeoutMs);
  socket.on('timeout', judge);
  proxyReq.once('close', () => socket.removeListener('timeout', judge));
}
