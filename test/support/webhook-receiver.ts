/** A receiver of webhooks, over HTTP or HTTPS, that answers as the test says. */
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import type { Cleanup } from './cleanup.ts';
import { listening } from './listening.ts';

export interface ReceivedPost {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

export interface WebhookReceiver {
  readonly port: number;
  readonly posts: readonly ReceivedPost[];
  /** The connections that it has had. */
  connectionCount: number;
  /** The statuses of the next answers, then 204 for ever; undefined: it says nothing. */
  readonly statuses: (number | undefined)[];
  /** A second request on a connection finds it closed. */
  isShortLived: boolean;
}

export async function startWebhookReceiver(
  test: Cleanup,
  options: { readonly tls?: https.ServerOptions; readonly port?: number } = {},
): Promise<WebhookReceiver> {
  const posts: ReceivedPost[] = [];
  const statuses: (number | undefined)[] = [];
  const used = new WeakSet<object>();
  const receiver = { posts, statuses, isShortLived: false, connectionCount: 0 };
  const receive: http.RequestListener = async (request, response) => {
    if (receiver.isShortLived && used.has(request.socket)) return void request.socket.destroy();
    used.add(request.socket);
    const { url = '', headers } = request;
    posts.push({ url, headers, events: JSON.parse(await text(request)) });
    const status = statuses.length > 0 ? statuses.shift() : 204;
    if (status === undefined) return;
    response.writeHead(status, { Location: '/elsewhere' }).end(status === 204 ? '' : 'no');
  };
  const server =
    options.tls === undefined
      ? http.createServer(receive)
      : https.createServer(options.tls, receive);
  server.on('connection', () => {
    receiver.connectionCount += 1;
  });
  const port = await listening(test, server, options.port);
  return Object.assign(receiver, { port });
}
