#!/usr/bin/env node
// Begins the program of the same name in dist/programs. Beside it lies what V8 made of it at the build, which
// spares nearly half of a start; another release of Node refuses that, and compiles the program itself.
'use strict';
const { readFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const filename = join(__dirname, '..', 'programs', basename(__filename));

const source = readFileSync(filename);
const checksumBytes = 4;

/** Of the program, too: V8 itself compares no more of it than its length. */
function checksumOf(cache) {
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32LE(crc32(cache, crc32(source)));
  return checksum;
}

/** V8 believes what it is given: bytes that a full disk or a crash has spoilt would end the process. */
function compiledBefore() {
  try {
    const file = readFileSync(`${filename}.cache`);
    const cache = file.subarray(0, -checksumBytes);
    return checksumOf(cache).equals(file.subarray(-checksumBytes)) ? cache : undefined;
  } catch {
    return undefined;
  }
}

const script = new Script(source.toString(), { filename, cachedData: compiledBefore() });
script.runInThisContext()(require, dirname(filename));

/** For code-cache.cjs. */
exports.createCodeCache = () => {
  const cache = script.createCachedData();
  return Buffer.concat([cache, checksumOf(cache)]);
};
exports.filename = filename;
