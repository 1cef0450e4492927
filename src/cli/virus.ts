#!/usr/bin/env node
/**
 * The program `virus`: what `wormgate virus …` does, under the name that the paper types.
 */
import { processOutput } from './output.ts';
import { runVirus } from './virus-command.ts';

process.exitCode = await runVirus(process.argv.slice(2), processOutput());
