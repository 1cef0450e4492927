/** The rows of the console's commands for virus sources; part of the table in commands.ts. */
import { blockSecondsRange } from '../config/source-rows.ts';
import type { CommandRow } from './command-row.ts';

const sourcesHelp = {
  word: 'sources',
  inStateFile: false,
  help: 'list the virus sources',
  details:
    'A table of the blocked sources, the last one that sent something first, and then of those that are watched: until when each is blocked and why, the misses and virus requests that count, how often it was blocked without a rest, and how many requests that has stopped. 100 of them, or as many as -n says.',
} as const;

const blockHelp = {
  word: 'block',
  operand: 'ADDRESS',
  inStateFile: false,
  help: 'block a source',
  details:
    'All requests of the address, for IPv6 of the /64 around it, are blocked for BlockSeconds, or for so many seconds. Such a block ends when it says, whatever comes meanwhile, and survives a restart. An address in NeverBlock or TrustedProxies is refused.',
} as const;

export const sourceRows: readonly CommandRow[] = [
  { ...sourcesHelp, options: [], examples: ['virus sources'] },
  {
    ...sourcesHelp,
    options: [
      {
        letter: 'n',
        kind: 'integer',
        placeholder: 'COUNT',
        ...{ min: 1, max: 1000 },
        help: 'how many are listed',
      },
    ],
    examples: ['virus sources -n 10'],
  },
  {
    word: 'source',
    options: [],
    operand: 'ADDRESS',
    inStateFile: false,
    help: 'show why a source is blocked or watched',
    details:
      'Each miss and each virus request that counts, with its time and its request id, by which PROXY.LOG has it.',
    examples: ['virus source 203.0.113.7', 'virus source 2001:db8:1:2::7'],
  },
  {
    word: 'forgive',
    options: [],
    operand: 'ADDRESS',
    inStateFile: false,
    help: 'let a source go',
    details: 'It is no longer blocked, and all that counted against it is forgotten.',
    examples: ['virus forgive 203.0.113.7'],
  },
  { ...blockHelp, options: [], examples: ['virus block 203.0.113.7'] },
  {
    ...blockHelp,
    options: [
      {
        letter: 's',
        kind: 'integer',
        placeholder: 'SECONDS',
        ...blockSecondsRange,
        help: 'how long',
      },
    ],
    examples: ['virus block 2001:db8:1:2::7 -s 86400'],
  },
];
