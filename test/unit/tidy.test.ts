/**
 * The house rules that a program can check: what ARCHITECTURE.md names, how long files and functions
 * are, which way imports go, and what may not stand in the sources. CONTRIBUTING.md tells the rules.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { projectPath } from '../support/paths.ts';

const fileLinesMax = 400;
const functionLinesMax = 70;

/** The floors of the house, from the top; the rooms of one floor do not know each other. */
const floors: readonly (readonly string[])[] = [
  ['cli'],
  ['composition'],
  ['http', 'admin', 'egress', 'tuning', 'fleet'],
  ['delivery'],
  ['virus', 'throttle', 'cache', 'upstream', 'log'],
  ['config', 'statistics', 'clock', 'fastify'],
];

interface Source {
  /** From the project's folder, e.g. `src/http/handle.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function sourcesOf(folder: string): Source[] {
  return readdirSync(projectPath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') || name.endsWith('.mjs'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(projectPath(path), 'utf8');
      return { path, text, lines: text.trimEnd().split('\n') };
    });
}

const src = sourcesOf('src');
const everything = [...src, ...sourcesOf('test'), ...sourcesOf('scripts')];

/** The text without comments and without what stands in strings, roughly but enough to look for words. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** What a file imports, types included: paths from the project's folder, or names of packages. */
function importsOf({ path, text }: Source): string[] {
  const from = /(?:^|\n)(?:import|export)\b[^;'"]*?from '([^']+)'|\bimport\('([^']+)'\)/g;
  return Array.from(text.matchAll(from), ([, named, dynamic]) => {
    const target = named ?? dynamic ?? '';
    return target.startsWith('.') ? join(dirname(path), target) : target;
  });
}

function roomOf(path: string): string {
  const [, first = '', rest] = path.split('/');
  if (rest !== undefined) return first;
  const name = first.replace(/\.ts$/, '');
  return floors.some((rooms) => rooms.includes(name)) ? name : 'composition';
}

function floorOf(path: string): number {
  return floors.findIndex((rooms) => rooms.includes(roomOf(path)));
}

test('ARCHITECTURE.md names every file under src, and no file that is not there', () => {
  const guide = readFileSync(projectPath('ARCHITECTURE.md'), 'utf8');
  const named = new Set(
    Array.from(guide.matchAll(/`(src\/[^`\s]+\.ts)`/g), ([, path = '']) => path),
  );
  assert.deepEqual(
    [...named].sort(),
    src.map(({ path }) => path),
  );
});

test('links between the documents lead somewhere', () => {
  const inDocs = readdirSync(projectPath('docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...inDocs];
  for (const document of [...documents, 'test/seed/README.md', 'patterns/README.md']) {
    const text = readFileSync(projectPath(document), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(link)) continue;
      assert.ok(existsSync(projectPath(dirname(document), link)), `${document}: ${link}`);
    }
  }
});

test('every file under src opens with a comment that says what it is', () => {
  for (const { path, lines } of src) {
    const first = lines[0]?.startsWith('#!') === true ? lines[1] : lines[0];
    assert.ok(first?.startsWith('/**'), path);
  }
});

test(`no file is longer than ${fileLinesMax} lines`, () => {
  const tooLong = everything.filter(({ lines }) => lines.length > fileLinesMax);
  assert.deepEqual(
    tooLong.map(({ path, lines }) => `${path}: ${lines.length} lines`),
    [],
  );
});

test(`no function is longer than ${functionLinesMax} lines`, () => {
  // Biome has put the end of a block at the indentation of its beginning.
  const opening = /^( *)(?!.*\b(?:class|interface)\b).*(?:\)(?:: .+)?|=>) \{$/;
  const tooLong: string[] = [];
  for (const { path, lines } of [...src, ...sourcesOf('scripts')]) {
    for (const [index, line] of lines.entries()) {
      const indentation = opening.exec(line)?.[1];
      if (indentation === undefined) continue;
      const length = lines.slice(index + 1).findIndex((each) => each.startsWith(`${indentation}}`));
      if (length + 2 > functionLinesMax) tooLong.push(`${path}:${index + 1}: ${length + 2} lines`);
    }
  }
  assert.deepEqual(tooLong, []);
});

test('imports go down only: cli, the composition root, http and admin, virus and upstream and log, the rest', () => {
  const wrong: string[] = [];
  for (const source of src) {
    for (const target of importsOf(source).filter((path) => path.startsWith('src/'))) {
      const isSameRoom = roomOf(source.path) === roomOf(target);
      if (isSameRoom || floorOf(source.path) < floorOf(target)) continue;
      wrong.push(`${source.path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no file imports itself by way of others', () => {
  const graph = new Map(src.map((source) => [source.path, importsOf(source)]));
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]) => {
    assert.ok(!way.includes(path), [...way, path].join(' → '));
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
});

test('each package is imported in one file, and none is listed that nobody uses', () => {
  const users = new Map<string, Set<string>>();
  for (const source of src) {
    for (const target of importsOf(source)) {
      if (target.startsWith('src/') || target.startsWith('node:')) continue;
      users.set(target, (users.get(target) ?? new Set()).add(source.path));
    }
  }
  for (const [name, paths] of users) assert.equal(paths.size, 1, `${name}: ${[...paths]}`);
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(projectPath('package.json'), 'utf8'),
  );
  // The programs hold their packages, so that an installation fetches nothing.
  assert.equal(dependencies, undefined);
  const listed = Object.keys(devDependencies);
  assert.deepEqual(
    [...users.keys()].filter((name) => !listed.includes(name)),
    [],
  );
  const isNamed = (name: string) =>
    name.startsWith('@types/') ||
    everything.some(({ text }) => name.split('/').every((part) => text.includes(part)));
  assert.deepEqual(
    listed.filter((name) => !isNamed(name)),
    [],
  );
});

test('no notes to come back later, no value of every type', () => {
  const leftover = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'].join('|')})\\b`);
  const anyType = /(?::|\bas|<|\||,)\s*any\b(?=[\s;,)>[\]=|]|$)/m;
  for (const { path, text } of everything) {
    assert.ok(!leftover.test(text), `${path}: ${leftover.exec(text)?.[0]}`);
    assert.ok(!anyType.test(codeOf(text)), `${path}: ${anyType.exec(codeOf(text))?.[0]}`);
  }
});

test('no test is left out, none runs alone', () => {
  for (const { path, text } of sourcesOf('test')) {
    assert.ok(!/\b(?:test|it|suite|describe)\.(?:only|skip)\(/.test(codeOf(text)), path);
    assert.ok(!/\bonly: true\b/.test(codeOf(text)), path);
  }
});
