/**
 * The web console's page, as the build has made it (scripts/prepare.mjs): three files, read once. What a
 * browser may do with them is said in their heads.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../config/package-folder.ts';
import type { FastifyInstance } from '../fastify.ts';

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
} as const;

/** What whoever reaches the address is given, so that he can log in; it holds nothing of this server. */
export const pagePaths: readonly string[] = Object.keys(files);

/** Nothing but our own files, no frames, no forms elsewhere, and no markup made from text. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Adds the routes of the page. */
export function addPage(app: FastifyInstance): void {
  const folder = join(packageFolder(), 'dist', 'page');
  for (const [path, [name, type]] of Object.entries(files)) {
    let content: Buffer | undefined;
    app.get(path, (_request, answer) => {
      content ??= readFileSync(join(folder, name));
      return answer
        .type(type)
        .header('Content-Security-Policy', contentSecurityPolicy)
        .header('Referrer-Policy', 'no-referrer')
        .header('Cross-Origin-Opener-Policy', 'same-origin')
        .header('Cross-Origin-Resource-Policy', 'same-origin')
        .send(content);
    });
  }
}
