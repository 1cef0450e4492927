/** The only file that imports Fastify, the web framework of the front and of the admin server. */
export { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
