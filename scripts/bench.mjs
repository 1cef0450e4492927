// `npm run bench [-- NAME]`: prepares the checkout and runs the benchmark scripts/bench/NAME.ts, or,
// without a name, lists and runs all of them, one after the other.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

const folder = join(root, 'dist', 'scripts', 'bench');

prepare();
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -'.js'.length))
  .sort();
const [wanted, ...rest] = process.argv.slice(2);

if (wanted !== undefined && !names.includes(wanted)) {
  console.error(`wormgate: no benchmark is called ${wanted}; there are: ${names.join(', ')}`);
  process.exit(1);
}
if (wanted === undefined) console.log(`benchmarks: ${names.join(', ')}`);

for (const name of wanted === undefined ? names : [wanted]) {
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, [join(folder, `${name}.js`), ...rest], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
