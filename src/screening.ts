/** How requests are judged, put together of settings, patterns and keywords. */
import type { Settings } from './config/shape.ts';
import type { Screening } from './http/policy.ts';
import type { KeywordScreen } from './virus/keyword-screen.ts';
import { NeverBlock } from './virus/never-block.ts';
import type { PatternSet } from './virus/pattern-set.ts';
import { Screen } from './virus/screen.ts';

/** The screening of settings that come into force. */
export function screeningFor(
  settings: Settings,
  patterns: PatternSet,
  keywordScreen: KeywordScreen | undefined,
): Screening {
  const { virus, scanVirusPatterns } = settings;
  return {
    settings,
    neverBlock: new NeverBlock(virus.neverBlockAddresses, virus.neverBlockPaths),
    screen: scanVirusPatterns ? new Screen(patterns, virus, keywordScreen) : undefined,
  };
}
