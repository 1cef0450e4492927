// `npm test [-- WORD…]`: prepares the checkout, fetches what the tests run against, then lints and
// runs every test, or only the files whose path contains one of the words.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';
import { installTestParts } from './test-parts.mjs';

prepare();
installTestParts();

const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
const lint = spawnSync(process.execPath, [biome, 'ci', '--error-on-warnings', '.'], {
  cwd: root,
  stdio: 'inherit',
});
if (lint.status !== 0) process.exit(1);

const words = process.argv.slice(2);
const files = readdirSync(join(root, 'dist', 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort()
  .map((name) => join('dist', 'test', name));
if (files.length === 0) {
  console.error(`wormgate: no test file contains ${words.join(' or ')}`);
  process.exit(1);
}
const run = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=3', '--test-reporter=spec', ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(run.status ?? 1);
