/** A plain request that may go: sent to the host, and the answer back, without what is hop-by-hop. */
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { withoutHopByHop } from '../upstream/hop-by-hop.ts';
import type { GatewayParts } from './parts.ts';
import { egressRefusals, refuseRequest } from './refusals.ts';
import type { PlainTarget } from './target.ts';

/** `log` is told once, when the answer is over or there is none. */
export function sendOnward(
  req: IncomingMessage,
  res: ServerResponse,
  { address, port, path, authority }: PlainTarget & { readonly address: string },
  { settings, statistics }: GatewayParts,
  log: (status: number | undefined, bytes: number, error?: string) => void,
): void {
  const { connectTimeoutMs, originTimeoutMs } = settings();
  const lines = withoutHopByHop(req.rawHeaders).filter(([name]) => name.toLowerCase() !== 'host');
  // Node frames by itself only the bodies of some methods; of others they would follow as they are.
  const isChunked = req.headers['transfer-encoding'] !== undefined;
  const framing = isChunked ? ['Transfer-Encoding', 'chunked'] : [];
  let bytes = 0;
  let isOver = false;
  const outgoing = request({
    ...{ host: address, port, path, method: req.method ?? 'GET', agent: false, setHost: false },
    headers: ['Host', authority, ...lines.flat(), ...framing, 'Connection', 'close'],
  });
  const finish = (status: number | undefined, error?: string) => {
    if (isOver) return;
    isOver = true;
    log(status, bytes, error);
  };
  const fail = (refusal: (typeof egressRefusals)['unreachable' | 'connectTimeout']) => {
    if (isOver) return;
    outgoing.destroy();
    statistics.add(refusal.counter);
    if (res.headersSent) res.destroy();
    else bytes = refuseRequest(req, res, refusal);
    finish(refusal.status, refusal.error);
  };
  outgoing.once('socket', (socket) => {
    socket.setTimeout(connectTimeoutMs, () => fail(egressRefusals.connectTimeout));
    socket.once('connect', () => socket.setTimeout(originTimeoutMs));
  });
  outgoing.on('error', () => fail(egressRefusals.unreachable));
  // A switch of protocols that nobody asked for is no error to Node.
  outgoing.once('close', () => {
    if (!res.headersSent) fail(egressRefusals.unreachable);
  });
  outgoing.on('response', (answer) => {
    const { statusCode = 0 } = answer;
    // Node throws when it is to send what is no status.
    if (statusCode < 200 || statusCode > 999) return fail(egressRefusals.unreachable);
    // In words of our own: a host's may hold what Node refuses to send.
    res.writeHead(statusCode, withoutHopByHop(answer.rawHeaders).flat());
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    answer.on('error', () => {
      const { counter, error } = egressRefusals.cutShort;
      if (!isOver) statistics.add(counter);
      finish(statusCode, error);
      res.destroy();
    });
    answer.pipe(res);
    res.once('finish', () => finish(statusCode));
  });
  res.once('close', () => {
    outgoing.destroy();
    finish(undefined, 'client_gone');
  });
  req.pipe(outgoing);
}
