/**
 * The admin server: health and counters, for loopback or for whoever holds the token. It only reads;
 * commands are the console socket's.
 */
import { isSecret } from '../config/secret.ts';
import type { AdminSettings, HostPort } from '../config/shape.ts';
import { type FastifyInstance, fastify } from '../fastify.ts';
import type { Statistics } from '../statistics.ts';
import type { OriginRow } from '../upstream/origins.ts';
import { renderMetrics, renderOriginMetrics } from './metrics.ts';

export interface AdminParts {
  admin(): AdminSettings;
  readonly statistics: Statistics;
  /** The origins of all sites. */
  origins(): readonly OriginRow[];
  /** False while the server drains. */
  ready(): boolean;
}

/** Host names by which a browser on this machine may call us; others are DNS rebinding. */
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Starts the server; rejects with the system's error when the address cannot be bound. */
export async function startAdminServer(
  address: HostPort,
  parts: AdminParts,
): Promise<FastifyInstance> {
  const app = fastify({ logger: false, bodyLimit: 1024, forceCloseConnections: true });
  app.addHook('onRequest', async (request, answer) => {
    const { token } = parts.admin();
    if (token === '') {
      if (loopbackHost.test(request.headers.host ?? '')) return;
      return answer.code(403).send('This host name is not served here.\n');
    }
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (isSecret(given, token)) return;
    return answer
      .code(401)
      .header('WWW-Authenticate', 'Bearer realm="wormgate"')
      .send('The admin server wants the token of [Admin] Token.\n');
  });
  app.addHook('onSend', async (_request, answer) => {
    answer.header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff');
  });
  app.get('/healthz', () => 'ok\n');
  app.get('/readyz', (_request, answer) =>
    answer.code(parts.ready() ? 200 : 503).send(parts.ready() ? 'ready\n' : 'draining\n'),
  );
  app.get('/metrics', (_request, answer) =>
    answer
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(renderMetrics(parts.statistics) + renderOriginMetrics(parts.origins())),
  );
  await app.listen({ host: address.host, port: address.port });
  return app;
}
