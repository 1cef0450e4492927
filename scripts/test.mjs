// `npm test [-- WORD…]`: prepares the checkout, fetches what the tests run against, then lints and
// runs every test, or only the files whose path contains one of the words.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
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

/**
 * The files to give to Node, which runs each in a process of its own. Tests of pure parts take less time
 * than their process takes to start, so they share a few.
 */
function processes(names) {
  const isShared = (name) => /^dist.test.(?:unit|model)\b/.test(name);
  const shared = names.filter(isShared);
  const groups = Array.from({ length: Math.min(4, shared.length) }, () => []);
  for (const [index, name] of shared.entries()) groups[index % groups.length].push(name);
  const folder = join(root, 'dist', 'test', 'together');
  mkdirSync(folder, { recursive: true });
  const files = groups.map((members, index) => {
    const file = join(folder, `${index + 1}.js`);
    const lines = members.map((name) => `import ${JSON.stringify(join(root, name))};\n`);
    writeFileSync(file, lines.join(''));
    return file;
  });
  return [...files, ...names.filter((name) => !isShared(name))];
}

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
/** Flow tests that run a second time with two workers in each wormgate; `WORKERS=2 npm test` does so with all. */
const inBothModes = [
  '02-blocking',
  '08-console.',
  '14-auto-update',
  '24-cache-storing',
  '32-sources',
];

/** Runs test files, more of them at a time than there are processors, since most wait; gives the exit code. */
function run(names, env) {
  const { status } = spawnSync(
    process.execPath,
    ['--test', '--test-concurrency=4', '--test-reporter=spec', ...processes(names)],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  return status ?? 1;
}

const status = run(files, {});
if (status !== 0 || process.env.WORKERS !== undefined || words.length > 0) process.exit(status);
const again = files.filter((name) => inBothModes.some((each) => name.includes(each)));
console.log('wormgate: once more with two workers');
process.exit(run(again, { WORKERS: '2' }));
