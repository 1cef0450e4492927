#!/usr/bin/env node
// Begins the program of the same name in dist/programs. Beside it lies what V8 made of it at the build, which
// spares nearly half of a start; another release of Node refuses that, and compiles the program itself.
'use strict';
const { readFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, '..', 'programs', basename(__filename));

function compiledBefore() {
  try {
    return readFileSync(`${filename}.cache`);
  } catch {
    return undefined;
  }
}

const script = new Script(readFileSync(filename, 'utf8'), {
  filename,
  cachedData: compiledBefore(),
});
script.runInThisContext()(require, dirname(filename));

/** For code-cache.cjs. */
exports.createCodeCache = () => script.createCachedData();
exports.filename = filename;
