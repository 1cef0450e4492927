/**
 * What happens to a request that was screened: the pattern set's answer, and what NeverBlock, Mode and
 * VirusAction make of it. Counts it, too, so that every lane counts alike.
 */
import type { Exchange } from './exchange.ts';
import type { FrontParts, Policy } from './policy.ts';

/** `pass` goes on to an origin; the others end here. */
export type Verdict = 'pass' | 'slip' | 'drop';

/** Screens the request; a match is noted on the exchange for the log. */
export function judge(exchange: Exchange, policy: Policy, parts: FrontParts): Verdict {
  if (policy.screen === undefined) return 'pass';
  const { virus } = policy.settings;
  const entryIndex = policy.screen.screen(exchange.requestString);
  parts.hitRates.note(entryIndex >= 0, parts.nowMs());
  if (entryIndex < 0) {
    parts.statistics.add('non_virus_requests');
    return 'pass';
  }
  parts.statistics.add('virus_requests');
  parts.patterns.hit(entryIndex, exchange.atMs);
  const entry = parts.patterns.entry(entryIndex);
  const note = (mark: 'slip' | 'drop' | 'detect' | 'never-block') => {
    exchange.match = { mark, pattern: entry.pattern, from: entry.from };
  };
  if (policy.neverBlock.covers(exchange.client, exchange.target)) {
    note('never-block');
    parts.statistics.add('requests_never_block');
    return 'pass';
  }
  parts.virusSources.note(exchange.client, exchange.atMs);
  if (virus.mode === 'detect') {
    note('detect');
    parts.statistics.add('requests_detected');
    return 'pass';
  }
  // A trusted peer is a balancer or CDN that carries other clients' requests too.
  const action = exchange.peerTrusted ? 'drop' : virus.action;
  note(action);
  parts.statistics.add(action === 'slip' ? 'requests_slipped' : 'requests_dropped');
  return action;
}
