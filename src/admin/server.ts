/**
 * The admin server: health, counters, and the interface behind the web console, for loopback or for whoever
 * holds the token. Who may ask is decided in guard.ts.
 */
import { normalizeAddress } from '../config/address-list.ts';
import { packageVersion } from '../config/package-folder.ts';
import type { AdminSettings, HostPort } from '../config/shape.ts';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  withoutSchemaCompilers,
} from '../fastify.ts';
import type { Latencies } from '../log/latency.ts';
import type { Statistics } from '../statistics.ts';
import type { OriginRow } from '../upstream/origins.ts';
import { type ApiParts, addApi } from './api.ts';
import { sessionBody } from './api-schemas.ts';
import { type Asking, Guard, type Verdict } from './guard.ts';
import { renderLatencies, renderMetrics, renderOriginMetrics } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { addPage, pagePaths } from './page-files.ts';
import { addValidation } from './validation.ts';

export interface AdminParts extends ApiParts {
  admin(): AdminSettings;
  readonly statistics: Statistics;
  readonly latencies: Latencies;
  /** The origins of all sites. */
  origins(): readonly OriginRow[];
  /** False while the server drains. */
  ready(): boolean;
  nowMs(): number;
}

/** The longest content of a request: five hundred console lines. */
const bodyBytesMax = 1_048_576;

/** The same of a log-in, which whoever reaches the address may send. */
const sessionBytesMax = 4_096;

/** Connections, and the time that a request may take to arrive: what somebody without a token can hold. */
const connectionsMax = 256;
const requestMs = 30_000;

/** What whoever reaches the address may ask for, so that he can log in. */
const openPaths: ReadonlySet<string> = new Set([...pagePaths, '/api/session']);

/** Starts the server; rejects with the system's error when the address cannot be bound. */
export async function startAdminServer(
  address: HostPort,
  parts: AdminParts,
): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: 5_000 },
    forceCloseConnections: true,
    ...withoutSchemaCompilers,
  });
  app.server.maxConnections = connectionsMax;
  app.server.on('drop', () => parts.statistics.add('admin_connections_refused'));
  addValidation(app);
  const guard = new Guard(() => parts.admin(), parts.nowMs);
  addGuard(app, guard, parts.statistics);
  addRefresh(app, parts);
  addSessions(app, guard, parts.statistics);
  app.get('/healthz', () => 'ok\n');
  app.get('/readyz', (_request, answer) =>
    answer.code(parts.ready() ? 200 : 503).send(parts.ready() ? 'ready\n' : 'draining\n'),
  );
  app.get('/metrics', (_request, answer) =>
    answer.type('text/plain; version=0.0.4; charset=utf-8').send(renderPage(parts)),
  );
  addApi(app, parts, (request) => guard.checkSender(askingOf(request)).ok);
  app.get('/api/openapi.json', () => openApiDocument(packageVersion()));
  addPage(app);
  app.addHook('preClose', async () => parts.events.close());
  await app.listen({ host: address.host, port: address.port });
  return app;
}

function renderPage({ statistics, latencies, origins }: AdminParts): string {
  return renderMetrics(statistics) + renderLatencies(latencies) + renderOriginMetrics(origins());
}

function addGuard(app: FastifyInstance, guard: Guard, statistics: Statistics): void {
  app.addHook('onRequest', async (request, answer) => {
    const asking = askingOf(request);
    const place = guard.checkPlace(asking);
    if (!place.ok) return refuse(answer, place, statistics);
    if (openPaths.has(request.routeOptions.url ?? '')) return;
    const sender = guard.checkSender(asking);
    if (!sender.ok) return refuse(answer, sender, statistics);
  });
  app.addHook('onSend', async (_request, answer) => {
    answer.header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff');
  });
}

/** What is asked for tells of all that happened before it was. */
function addRefresh(app: FastifyInstance, { context }: AdminParts): void {
  app.addHook('preHandler', async (request) => {
    const { url = '' } = request.routeOptions;
    if (url === '/metrics' || (url.startsWith('/api/') && request.method === 'GET')) {
      await context.refresh();
    }
  });
}

function addSessions(app: FastifyInstance, guard: Guard, statistics: Statistics): void {
  app.post<{ Body: { token: string } }>(
    '/api/session',
    { schema: { body: sessionBody }, bodyLimit: sessionBytesMax },
    (request, answer) => {
      const verdict = guard.logIn(request.body.token, normalizeAddress(request.ip));
      if (!verdict.ok) return refuse(answer, verdict, statistics);
      return answer.header('Set-Cookie', verdict.cookie).code(204).send();
    },
  );
  app.delete('/api/session', { bodyLimit: sessionBytesMax }, (request, answer) =>
    answer.header('Set-Cookie', guard.logOut(request.headers.cookie)).code(204).send(),
  );
}

function askingOf(request: FastifyRequest): Asking {
  const { headers } = request;
  const fetchSite = headers['sec-fetch-site'];
  return {
    method: request.method,
    peer: normalizeAddress(request.ip),
    host: headers.host,
    origin: headers.origin,
    fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
    authorization: headers.authorization,
    cookie: headers.cookie,
    contentType: headers['content-type'],
  };
}

function refuse(
  answer: FastifyReply,
  verdict: Verdict & { readonly ok: false },
  statistics: Statistics,
) {
  const isOfToken = verdict.status === 401 || verdict.status === 429;
  statistics.add(isOfToken ? 'admin_tokens_refused' : 'admin_requests_refused');
  if (verdict.status === 401) answer.header('WWW-Authenticate', 'Bearer realm="wormgate"');
  if (verdict.retryAfter !== undefined) answer.header('Retry-After', String(verdict.retryAfter));
  return answer.code(verdict.status).send(`${verdict.message}\n`);
}
