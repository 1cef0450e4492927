// The licences of the packages whose code is within the programs and the page: most of them ask to be
// passed on with it. Which packages those are is what esbuild has noted.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of packages among the inputs of a bundle, from the project's folder. */
function packageFolders(metafile) {
  const { inputs } = JSON.parse(readFileSync(metafile, 'utf8'));
  return Object.keys(inputs).flatMap((path) => {
    const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path);
    return found === null ? [] : [found[0]];
  });
}

function licenceOf(root, folder) {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(join(root, folder)).filter((file) =>
    /^(?:licen[cs]e|notice)/i.test(file),
  );
  const texts = files.map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
  const by = author?.name ?? author;
  const title = `${name} ${version}, ${license}${by === undefined ? '' : `, ${by}`}`;
  return [title, ...texts].join('\n\n');
}

/** Writes what the packages named in esbuild's metafiles ask to be passed on, into one file. */
export function writeLicences(root, metafiles, target) {
  const folders = [...new Set(metafiles.flatMap(packageFolders))].sort();
  const rule = `\n\n${'-'.repeat(78)}\n\n`;
  const head = 'Packages whose code is part of these programs, and their licences.';
  writeFileSync(target, [head, ...folders.map((folder) => licenceOf(root, folder))].join(rule));
}
