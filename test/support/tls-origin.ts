/** Origins behind TLS, with the certificates of test/data/tls. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Cleanup } from './cleanup.ts';
import { projectPath } from './paths.ts';

/** The path of a certificate with its key. */
export function certificatePath(name: string): string {
  return projectPath('test', 'data', 'tls', `${name}.pem`);
}

export interface TlsOrigin {
  readonly port: number;
  /** By its address. */
  readonly url: string;
  /** Connections whose handshake succeeded. */
  readonly connections: TLSSocket[];
}

export interface TlsOriginOptions {
  /** Which certificate it shows. */
  readonly certificate: 'origin' | 'other' | 'expired';
  /** Whether clients have to show one, too. */
  readonly asksForOne?: boolean;
  readonly handler?: RequestListener;
}

/** On a free port; the test's end closes it. After an upgrade it says hello and echoes. */
export async function startTlsOrigin(test: Cleanup, options: TlsOriginOptions): Promise<TlsOrigin> {
  const pem = readFileSync(certificatePath(options.certificate));
  const connections: TLSSocket[] = [];
  const server = createServer(
    {
      ...{ cert: pem, key: pem, ca: readFileSync(certificatePath('authority')) },
      ...{ requestCert: options.asksForOne === true, rejectUnauthorized: true },
    },
    options.handler ?? ((_req, res) => res.end('over TLS')),
  );
  server.on('secureConnection', (socket) => connections.push(socket));
  server.on('tlsClientError', () => {});
  server.on('upgrade', (_req, socket) => {
    socket.write('HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello');
    socket.on('data', (chunk) => socket.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, url: `https://127.0.0.1:${address.port}`, connections };
}
