/**
 * The rows of `[Virus Pattern Configuration]`: the paper's five keys with the paper's defaults, and
 * ours. The console changes four of them while the server runs; their ranges are exported for it.
 */
import { neverBlockPart } from './endpoint.ts';
import { configuredPattern } from './pattern-value.ts';
import { defineSection } from './table.ts';
import { choice, fileName, flag, integer, listOf, type Range } from './value.ts';

/** The ranges that PROXY.CFG and the console's `-t`, `-r` and `-m` share. */
export const tunableRanges = {
  HitThreshold: { min: 1, max: 1_000_000_000 },
  RefreshInterval: { min: 1, max: 3600 },
  EnablePatternAutoUpdate: { min: 0, max: 1 },
  MaxVirusPatterns: { min: 1, max: 10_000_000 },
} as const satisfies Record<string, Range>;

const patternCountMax = 100_000;

const patternKeys = {
  NoOfVirusPatterns: {
    type: integer({ min: 0, max: patternCountMax }),
    default: '0',
    shipped: '0',
    live: true,
    help: 'How many patterns follow as Pattern1 to PatternN. Each of them must be there, and no others. Long lists are better kept in PatternFiles.',
  },
  PatternN: {
    type: configuredPattern,
    default: '',
    defaultNote: 'none',
    example: '"default.ida?NNNN",385',
    live: true,
    numbered: true,
    help: 'A virus pattern: the bytes that stand in the window of a virus request, and the length of the whole request string it was cut from. The keys are Pattern1, Pattern2 and so on. Within the quotation marks `\\xHH` stands for any byte, `\\"` for a quotation mark and `\\\\` for a backslash. The pattern holds at most PatternSize bytes; a shorter one matches a request string that ends there. The length is part of what names the pattern for `virus del`, and is not compared with requests.',
  },
  PatternSize: {
    type: integer({ min: 4, max: 64 }, 'bytes'),
    default: '16',
    shipped: '16',
    live: false,
    help: 'The size of the window that is compared with the patterns. It holds for every pattern, so patterns written for another size no longer match: change it with care.',
  },
  PatternStartOffset: {
    type: integer({ min: 0, max: 1024 }, 'bytes'),
    default: '1',
    shipped: '1',
    live: false,
    help: 'Where the window begins in the request string, which is the request line after the method and the blank that follows it. At 1 the window begins after the first slash. It holds for every pattern: change it with care.',
  },
  PatternFiles: {
    type: listOf(fileName, 'comma list of file names'),
    default: '',
    shipped:
      '../patterns/classic-worms.ncf, ../patterns/modern-worms.ncf, ../patterns/scanners.ncf, ../patterns/keywords.ncf',
    live: true,
    help: 'NCF files of `virus add` commands, run at the start in this order, after Pattern1 to PatternN. Relative names start from the folder of this file. A name with a comma or a blank at its end stands in quotation marks. Their patterns count as shipped: one deleted on the console stays deleted at the next start.',
  },
  MaxVirusPatterns: {
    type: integer(tunableRanges.MaxVirusPatterns, 'patterns'),
    default: '100000',
    live: true,
    help: 'How many patterns the database holds at most. A pattern takes at most 64 bytes of memory. At the limit an add is refused and counted as patterns_refused. The console changes it with `virus -m`.',
  },
} as const;

const learningKeys = {
  EnablePatternAutoUpdate: {
    type: flag,
    default: '0',
    shipped: '1',
    live: true,
    help: 'Whether the patterns of new virus requests are learned from the traffic (Auto Update): a request whose window arrives more than HitThreshold times within one RefreshInterval is a suspect, and so is a miss ([Virus Sources]); one that holds a virus keyword has its pattern added. docs/auto-update.md tells how to choose the figures. The console changes it with `virus -e`.',
  },
  HitThreshold: {
    type: integer(tunableRanges.HitThreshold, 'requests'),
    default: '250',
    live: true,
    help: 'For Auto Update: how often the same window may arrive within one RefreshInterval before the request becomes a suspect. It must be greater than the average rate of humble requests. The console changes it with `virus -t`.',
  },
  RefreshInterval: {
    type: integer(tunableRanges.RefreshInterval, 'seconds'),
    default: '10',
    live: true,
    help: 'For Auto Update and for the rates on the Virus Pattern Configuration screen: the interval in which requests are counted. Raise it together with HitThreshold. The console changes it with `virus -r`.',
  },
  BlockConfirmedKeywords: {
    type: flag,
    default: '1',
    live: true,
    help: 'For Auto Update: whether a keyword that was found in a virus request blocks every later request that holds it, whatever its window. A keyword that a lately served request holds is not confirmed.',
  },
  AutoUpdateAction: {
    type: choice('add', 'propose'),
    default: 'add',
    live: true,
    help: 'What becomes of a pattern that Auto Update has found. add: it is added, and blocks from the next request on. propose: it waits for `virus accept` or `virus reject`. A pattern whose window or path was lately served is proposed in either case.',
  },
  LearnedPatternDays: {
    type: integer({ min: 0, max: 3650 }, 'days'),
    default: '30',
    live: true,
    help: 'A learned pattern that matched no request for so long is deleted, a confirmed keyword that blocked none is unconfirmed, and a proposal that was not seen is withdrawn; 0 keeps them for ever. Patterns from elsewhere never expire.',
  },
  ServedMemoryHours: {
    type: integer({ min: 1, max: 8760 }, 'hours'),
    default: '168',
    live: true,
    help: 'How long it is remembered what was served (an answer below 400) and, for Auto Update, what was answered 404 or 410. What was served is no miss of [Virus Sources], and is not learned, only proposed. It is remembered for at least this long and at most twice as long.',
  },
  MaxLearnedPatterns: {
    type: integer({ min: 0, max: 1_000_000 }, 'patterns'),
    default: '10000',
    live: true,
    help: 'How many learned patterns are kept at most, each with the request it was learned from (some 500 bytes). At the limit nothing more is learned; counted as patterns_refused.',
  },
  MaxProposedPatterns: {
    type: integer({ min: 0, max: 100_000 }, 'patterns'),
    default: '1000',
    live: true,
    help: 'How many proposed patterns wait at most, and how many rejections are remembered. Further proposals are counted as proposals_refused.',
  },
  MaxVirusKeywords: {
    type: integer({ min: 0, max: 100_000 }, 'keywords'),
    default: '10000',
    live: true,
    help: 'How many keywords are kept at most; at the limit `virus add -k` is refused.',
  },
} as const;

const verdictKeys = {
  Mode: {
    type: choice('block', 'detect'),
    default: 'block',
    live: true,
    help: 'block stops virus requests. detect lets every one of them pass to the origin, and logs and counts what block would have stopped: a way to try patterns on live traffic.',
  },
  VirusAction: {
    type: choice('slip', 'drop'),
    default: 'slip',
    live: true,
    help: 'What becomes of a virus request. slip closes the connection with no answer; PROXY.LOG shows `- -` for status and size. drop answers 400 with a request id, then closes. A connection from TrustedProxies always gets the 400 and stays open.',
  },
  NormalizeRequests: {
    type: flag,
    default: '1',
    live: true,
    help: 'Whether a second window is taken from the target after percent-decoding and after removing double slashes and dot segments, so that a disguised virus request matches too. The origin gets the request as it came in either case.',
  },
  NeverBlock: {
    type: listOf(neverBlockPart, 'comma list of CIDRs and path:/PREFIX'),
    default: '',
    example: '192.0.2.0/24, path:/.well-known/',
    live: true,
    help: 'Requests that are never blocked: those from an address in one of the networks, and those whose path begins with one of the prefixes. They are counted as requests_never_block.',
  },
} as const;

/** `[Virus Pattern Configuration]`. */
export const virusSection = defineSection({
  name: 'Virus Pattern Configuration',
  help: 'Which requests are virus requests, and what becomes of them. A request whose window holds the bytes of a pattern is one.',
  rows: { ...patternKeys, ...learningKeys, ...verdictKeys },
});
