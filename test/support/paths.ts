/** Where the project's own files are, for tests that run compiled from dist/test. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'tsconfig.json'))
    ? folder
    : findRoot(dirname(folder));
}

export const projectRoot = findRoot(import.meta.dirname);

/** The absolute path of a file of the project, e.g. `projectPath('test/data/requests.tsv')`. */
export function projectPath(...parts: string[]): string {
  return join(projectRoot, ...parts);
}
