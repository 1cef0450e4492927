/**
 * How requests of the admin server are held against their JSON schemas. The package that does it takes long
 * to load, so that it is loaded with the first request that has one. The only file that imports it.
 */
import type { Ajv } from 'ajv';
import type { FastifyInstance } from '../fastify.ts';

/** Checks requests by the schemas of their routes. */
export function addValidation(app: FastifyInstance): void {
  let ajv: Ajv | undefined;
  app.addHook('preValidation', async ({ routeOptions }) => {
    if (routeOptions.schema === undefined || ajv !== undefined) return;
    const { Ajv } = await import('ajv');
    // Numbers in a query are text.
    ajv = new Ajv({ coerceTypes: true, useDefaults: true, removeAdditional: true });
  });
  app.setValidatorCompiler<object>(({ schema }) => (value: unknown) => {
    const validate = ajv?.compile(schema);
    return validate?.(value) === true || { error: validate?.errors ?? [] };
  });
}
