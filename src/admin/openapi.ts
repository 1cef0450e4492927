/**
 * The OpenAPI document of the admin server, made of the tables that the server itself works by: the schemas of
 * api-schemas.ts and the command tables. A test holds its paths against the routes.
 */
import { consoleBody, inspectBody, patternQuery, sessionBody } from './api-schemas.ts';
import { cacheSyntax } from './cache-commands.ts';
import { commandTable, rowSyntax } from './commands.ts';

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly body?: object;
  readonly query?: { readonly properties: Readonly<Record<string, object>> };
  /** What is answered; JSON if nothing is said. */
  readonly type?: string;
  /** By default 200. */
  readonly status?: number;
  /** Without token or session. */
  readonly isOpen?: boolean;
}

const commandLines = [
  ...commandTable.map((row) => `- \`${rowSyntax(row)}\`: ${row.help}`),
  ...cacheSyntax.map(([typed, help]) => `- \`${typed}\`: ${help}`),
];

/** All that there is to ask, by path and method. */
export const operations: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/healthz': { get: { summary: 'Whether the process answers', type: 'text/plain' } },
  '/readyz': {
    get: { summary: 'Whether requests are served; 503 while it drains', type: 'text/plain' },
  },
  '/metrics': { get: { summary: 'Counters and gauges for Prometheus', type: 'text/plain' } },
  '/api/session': {
    post: { summary: 'Begin a session: a cookie', body: sessionBody, status: 204, isOpen: true },
    delete: { summary: 'End it', body: { type: 'object' }, status: 204, isOpen: true },
  },
  '/api/console': {
    post: {
      summary: 'Carry out console commands, in order',
      description: `One reply a line, as \`{"replies": [{"ok": true, "text": "…"}]}\`.\n\n${commandLines.join('\n')}`,
      body: consoleBody,
    },
  },
  '/api/screen': { get: { summary: 'The Virus Pattern Configuration screen' } },
  '/api/patterns': {
    get: { summary: 'Patterns: searched, sorted, a page of them', query: patternQuery },
  },
  '/api/lists': { get: { summary: 'Proposed patterns, and keywords' } },
  '/api/sources': {
    get: { summary: 'Virus sources: who is blocked or watched, and what counts against him' },
  },
  '/api/fleet': { get: { summary: 'The fleet as this machine sees it; null: there is none' } },
  '/api/origins': { get: { summary: 'The origins of all sites, and how they are' } },
  '/api/throttle': { get: { summary: 'The status report of the virus throttle' } },
  '/api/cache': { get: { summary: 'What the cache holds, in all' } },
  '/api/counters': { get: { summary: 'All counters since the start' } },
  '/api/settings': { get: { summary: 'Every key of PROXY.CFG' } },
  '/api/inspect': {
    post: { summary: 'What would become of a request line, and why', body: inspectBody },
  },
  '/api/events': {
    get: { summary: 'Figures each second, as server-sent events', type: 'text/event-stream' },
  },
  '/api/openapi.json': { get: { summary: 'This document' } },
};

function describeOperation({ summary, description, body, query, type, status, isOpen }: Operation) {
  const content = { [type ?? 'application/json']: {} };
  const answer = status === 204 ? { description: 'Done' } : { description: 'The answer', content };
  const parameters = Object.entries(query?.properties ?? {}).map(([name, schema]) => {
    return { name, in: 'query', required: false, schema };
  });
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [String(status ?? 200)]: answer,
      ...(isOpen === true ? {} : { 401: { description: 'The token is missing or wrong' } }),
      403: { description: 'Sent by a foreign page, or for a foreign name' },
    },
    ...(isOpen === true ? { security: [] } : {}),
  };
}

/** The document; `version` is the package's. */
export function openApiDocument(version: string) {
  const paths = Object.entries(operations).map(([path, methods]) => [
    path,
    Object.fromEntries(
      Object.entries(methods).map(([method, each]) => [method, describeOperation(each)]),
    ),
  ]);
  return {
    openapi: '3.1.0',
    info: { title: 'wormgate', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ token: [] }, { session: [] }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'wormgate' },
      },
    },
  };
}
