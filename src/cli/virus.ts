#!/usr/bin/env node
/**
 * The program `virus`: what `wormgate virus …` does, under the name that the paper types.
 */
import { processOutput } from './output.ts';
import { runVirus } from './virus-command.ts';

void runVirus(process.argv.slice(2), processOutput()).then((code) => {
  process.exitCode = code;
});
