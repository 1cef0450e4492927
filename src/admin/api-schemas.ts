/** What the requests of the admin server's interface look like, as JSON schemas: for Fastify, and for OpenAPI. */
import { pageEndMax } from './pattern-pages.ts';
import { patternColumns } from './views.ts';

/** The most lines in one request. */
const apiLinesMax = 500;

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
      description: 'A request line, each character one byte, or a request id of PROXY.LOG.',
    },
  },
} as const;

/** The body of `POST /api/session`. */
export const sessionBody = {
  type: 'object',
  required: ['token'],
  additionalProperties: false,
  properties: { token: { type: 'string', maxLength: 1024, description: 'Token of [Admin]' } },
} as const;
