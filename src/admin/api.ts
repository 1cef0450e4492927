/**
 * The admin server's interface for programs, and for the web console: every console command as JSON, what the
 * operator sees, and events. Whoever comes here has passed the guard.
 */
import type { FastifyInstance } from '../fastify.ts';
import type { Statistics } from '../statistics.ts';
import { type ConsoleContext, executeLines } from './console.ts';
import type { EventStream } from './event-stream.ts';
import { pageEndMax, pageOf } from './pattern-pages.ts';
import {
  type PatternColumn,
  patternColumns,
  patternPage,
  viewLists,
  viewPattern,
  viewSettingsTable,
} from './views.ts';

export interface ApiParts {
  readonly context: ConsoleContext;
  readonly statistics: Statistics;
  readonly events: EventStream;
  /** The longest console line, in bytes. */
  lineBytesMax(): number;
  /** What would become of a request line, and why. */
  inspect(requestLine: string): unknown;
}

/** The most lines in one request. */
export const apiLinesMax = 500;

/** Adds the routes below `/api`. */
export function addApi(app: FastifyInstance, parts: ApiParts): void {
  addConsole(app, parts);
  addViews(app, parts);
  addInspector(app, parts);
  app.get('/api/events', (_request, answer) => {
    if (parts.events.isFull) {
      return answer.code(503).send({ message: 'Too many pages are open; close one.' });
    }
    answer.hijack();
    parts.events.add(answer.raw);
    return answer;
  });
}

/** As the body of `POST /api/console` has to be; also in the OpenAPI document. */
export const consoleBody = {
  type: 'object',
  required: ['lines'],
  additionalProperties: false,
  properties: {
    lines: {
      type: 'array',
      minItems: 1,
      maxItems: apiLinesMax,
      items: { type: 'string', description: 'A console line; each character is one byte.' },
    },
  },
} as const;

function addConsole(app: FastifyInstance, { context, lineBytesMax }: ApiParts): void {
  app.post<{ Body: { lines: string[] } }>(
    '/api/console',
    { schema: { body: consoleBody } },
    async (request, answer) => {
      const { lines } = request.body;
      if (!lines.every(isLatin1)) {
        const message = 'A character of a line is not one byte; write its bytes as \\xHH.';
        return await answer.code(400).send({ message });
      }
      const who = `web ${request.ip}`;
      const replies = await executeLines(lines, context, 'console', lineBytesMax(), who);
      return await answer.send({ replies });
    },
  );
}

function isLatin1(line: string): boolean {
  return !/[^\u0000-\u00ff]/.test(line);
}

/** The query of `GET /api/patterns`; also in the OpenAPI document. */
export const patternQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    search: { type: 'string', maxLength: 200, default: '' },
    sort: { type: 'string', enum: [...patternColumns], default: 'hits' },
    order: { type: 'string', enum: ['asc', 'desc'], default: 'desc' },
    from: { type: 'integer', minimum: 0, maximum: pageEndMax, default: 0 },
    count: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  },
} as const;

interface PatternQuery {
  readonly search: string;
  readonly sort: PatternColumn;
  readonly order: 'asc' | 'desc';
  readonly from: number;
  readonly count: number;
}

function addViews(app: FastifyInstance, { context, statistics }: ApiParts): void {
  app.get('/api/screen', () => context.snapshot());
  app.get<{ Querystring: PatternQuery }>(
    '/api/patterns',
    { schema: { querystring: patternQuery } },
    async (request, answer) => {
      const { search, sort, order, from, count } = request.query;
      const wanted = patternPage({ search, sort, isDescending: order === 'desc', from, count });
      const page = await pageOf(() => context.listed.patterns(), wanted);
      if (page === undefined) {
        const message = 'The patterns change faster than they can be read; try again.';
        return await answer.code(503).send({ message });
      }
      const patterns = page.items.map(viewPattern);
      return await answer.send({ patterns, total: page.total });
    },
  );
  app.get('/api/lists', () => viewLists(context.listed));
  app.get('/api/origins', () => ({ origins: context.origins() }));
  app.get('/api/throttle', () => ({ status: context.status(undefined, false) ?? '' }));
  app.get('/api/cache', () => context.cache.totals());
  app.get('/api/counters', () => statistics.totals);
  app.get('/api/settings', () => ({ settings: viewSettingsTable() }));
}

/** The body of `POST /api/inspect`; also in the OpenAPI document. */
export const inspectBody = {
  type: 'object',
  required: ['request'],
  additionalProperties: false,
  properties: {
    request: {
      type: 'string',
      minLength: 1,
      maxLength: 8192,
      description: 'A request line, each character one byte.',
    },
  },
} as const;

function addInspector(app: FastifyInstance, { inspect }: ApiParts): void {
  app.post<{ Body: { request: string } }>(
    '/api/inspect',
    { schema: { body: inspectBody } },
    async (request, answer) => {
      const line = request.body.request;
      if (!isLatin1(line)) {
        return await answer.code(400).send({ message: 'A character is not one byte.' });
      }
      return await answer.send(inspect(line));
    },
  );
}
