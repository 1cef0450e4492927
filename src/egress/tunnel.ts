/** A CONNECT that may go: the connection to the host, and the bytes both ways until either end is gone. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GatewayParts, Passage } from './parts.ts';
import { egressRefusals, refuseTunnel } from './refusals.ts';

const established = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/** Who asked for the tunnel, and what it sent behind its request. */
export interface TunnelClient {
  readonly client: Duplex;
  readonly head: Buffer;
  /** Nobody watches any more whether it has gone. */
  readonly stopWatching: () => void;
}

/** Connects; `log` is told once: 200 and the bytes that the host sent, or why there is no tunnel. */
export function tunnelTo(
  { client, head, stopWatching }: TunnelClient,
  { address, port }: Passage,
  { settings, statistics }: GatewayParts,
  log: (status: number | undefined, bytes: number, error?: string) => void,
): void {
  const { connectTimeoutMs, idleTimeoutMs } = settings();
  const host = connect({ host: address, port, allowHalfOpen: true });
  const fail = (refusal: (typeof egressRefusals)['unreachable' | 'connectTimeout']) => {
    host.destroy();
    if (client.destroyed) return;
    client.removeListener('close', onGone);
    statistics.add(refusal.counter);
    log(refusal.status, refuseTunnel(client, refusal), refusal.error);
  };
  const onError = () => fail(egressRefusals.unreachable);
  const onTimeout = () => fail(egressRefusals.connectTimeout);
  let isConnected = false;
  const onGone = () => {
    host.destroy();
    if (!isConnected) log(undefined, 0, 'client_gone');
  };
  host.once('error', onError);
  host.setTimeout(connectTimeoutMs, onTimeout);
  client.once('close', onGone);
  host.once('connect', () => {
    host.removeListener('error', onError);
    host.removeListener('timeout', onTimeout);
    isConnected = true;
    stopWatching();
    statistics.add('egress_tunnels');
    client.write(established);
    if (head.length > 0) host.write(head);
    carry(client, host, idleTimeoutMs, () => log(200, host.bytesRead));
  });
}

/** Passes bytes on both ways; an end that closes its side closes the other's in turn. */
function carry(client: Duplex, host: Socket, idleTimeoutMs: number, onOver: () => void): void {
  const over = () => {
    client.destroy();
    host.destroy();
  };
  host.setTimeout(idleTimeoutMs, over);
  host.on('error', over);
  client.on('error', over);
  host.once('close', () => {
    onOver();
    client.destroy();
  });
  host.pipe(client);
  client.pipe(host);
}
