/**
 * The admin server's interface for programs, and for the web console: every console command as JSON, what the
 * operator sees, and events. Whoever comes here has passed the guard.
 */
import { normalizeAddress } from '../config/address-list.ts';
import type { WrittenSetting } from '../config/written.ts';
import type { FastifyInstance, FastifyRequest } from '../fastify.ts';
import type { Statistics } from '../statistics.ts';
import { consoleBody, inspectBody, patternQuery } from './api-schemas.ts';
import { type ConsoleContext, executeLines } from './console.ts';
import type { EventStream } from './event-stream.ts';
import { pageOf } from './pattern-pages.ts';
import { viewSources } from './source-views.ts';
import { type PatternColumn, patternPage, viewLists, viewPattern, viewSettings } from './views.ts';

export interface ApiParts {
  readonly context: ConsoleContext;
  readonly statistics: Statistics;
  readonly events: EventStream;
  /** What the configuration file in force says. */
  written(): readonly WrittenSetting[];
  /** The longest console line, in bytes. */
  lineBytesMax(): number;
  /** What became of the request with an id, or would become of a request line, and why. */
  inspect(text: string): Promise<unknown>;
}

/** Adds the routes below `/api`. `maySee` is whether a request's sender would be let in now. */
export function addApi(
  app: FastifyInstance,
  parts: ApiParts,
  maySee: (request: FastifyRequest) => boolean,
): void {
  addConsole(app, parts);
  addViews(app, parts);
  addInspector(app, parts);
  app.get('/api/events', { exposeHeadRoute: false }, (request, answer) => {
    if (!parts.events.hasRoomFor(answer.raw)) {
      return answer.code(503).send({ message: 'Too many pages are open; close one.' });
    }
    answer.hijack();
    parts.events.add(answer.raw, () => maySee(request));
    return answer;
  });
}

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
      const who = `web ${normalizeAddress(request.ip)}`;
      const replies = await executeLines(lines, context, 'console', lineBytesMax(), who);
      return await answer.send({ replies });
    },
  );
}

function isLatin1(line: string): boolean {
  return [...line].every((character) => character.charCodeAt(0) <= 0xff);
}

interface PatternQuery {
  readonly search: string;
  readonly sort: PatternColumn;
  readonly order: 'asc' | 'desc';
  readonly from: number;
  readonly count: number;
}

function addViews(app: FastifyInstance, { context, statistics, written }: ApiParts): void {
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
  app.get('/api/sources', () => viewSources(context.sources, context.nowMs()));
  app.get('/api/origins', () => ({ origins: context.origins() }));
  app.get('/api/fleet', async () => ({ fleet: (await context.fleet()) ?? null }));
  app.get('/api/throttle', () => ({ status: context.status(undefined, false) ?? '' }));
  app.get('/api/cache', () => context.cache.totals());
  app.get('/api/counters', () => statistics.totals);
  app.get('/api/settings', () => ({ settings: viewSettings(written()) }));
}

function addInspector(app: FastifyInstance, { inspect }: ApiParts): void {
  app.post<{ Body: { request: string } }>(
    '/api/inspect',
    { schema: { body: inspectBody } },
    async (request, answer) => {
      const line = request.body.request;
      if (!isLatin1(line)) {
        return await answer.code(400).send({ message: 'A character is not one byte.' });
      }
      return await answer.send(await inspect(line));
    },
  );
}
