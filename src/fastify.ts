/** The only file that imports Fastify, the web framework of the front and of the admin server. */
import type { FastifyServerOptions } from 'fastify';

export { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';

function notThere(): never {
  throw new Error('There are no schemas.');
}

/**
 * Options of an instance that has no schemas, or `setValidatorCompiler` of its own: Fastify's compilers of
 * schemas take a quarter of a start to load.
 */
export const withoutSchemaCompilers: Pick<FastifyServerOptions, 'schemaController'> = {
  schemaController: { compilersFactory: { buildValidator: notThere, buildSerializer: notThere } },
};
