/**
 * What would become of a request line, and why, for the operator who asks. Decides with the same functions as
 * the request path, counts nothing, and says each step in a sentence.
 */
import { escapeText } from '../config/quoted.ts';
import { normalizedRequestString } from '../virus/normalize.ts';
import { cutWindow, formatPattern } from '../virus/pattern.ts';
import { humble, keywordIndexOf } from '../virus/screen.ts';
import type { FrontParts, Screening } from './policy.ts';
import { parseRequestLine, reduceToOriginForm, requestStringOf } from './request-line.ts';
import { markOf } from './verdict.ts';

/** One step of the request path; both are printable ASCII. */
export interface InspectionStep {
  readonly step: string;
  readonly finding: string;
}

export interface Inspection {
  /** `unknown`: there is no such request; `refused`: the line is none; `detect`, `never-block` are let pass. */
  readonly outcome: 'unknown' | 'refused' | 'pass' | 'slip' | 'drop' | 'detect' | 'never-block';
  readonly steps: readonly InspectionStep[];
}

/** Inspects a line, latin1, as if `client` sent it. */
export function inspect(
  line: string,
  client: string,
  policy: Screening,
  parts: Pick<FrontParts, 'patterns' | 'keywordScreen' | 'sources' | 'nowMs'>,
): Inspection {
  const steps: InspectionStep[] = [];
  const say = (step: string, finding: string) => steps.push({ step, finding });
  const parsed = parseRequestLine(line);
  const reduced = parsed === undefined ? undefined : reduceToOriginForm(parsed);
  if (parsed === undefined || reduced === undefined) {
    say('request line', 'It breaks the grammar of RFC 9112, section 3, and is answered 400.');
    return { outcome: 'refused', steps };
  }
  const requestString = requestStringOf(parsed, reduced.target);
  say('request string', escapeText(requestString));
  const { screen } = policy;
  if (screen === undefined) {
    say('screening', 'ScanVirusPatterns=0: nothing is compared.');
    return { outcome: 'pass', steps };
  }
  const { patternStartOffset: offset, patternSize: size } = policy.settings.virus;
  say('window', formatPattern(cutWindow(requestString, offset, size)));
  const normalized = normalizedRequestString(requestString);
  const normalizes = screen.normalizeRequests && normalized !== undefined;
  if (normalizes) {
    say(
      'normalised',
      `${escapeText(normalized)}, its window ${formatPattern(cutWindow(normalized, offset, size))}`,
    );
  }
  const answer = screen.screen(requestString);
  if (answer === humble) {
    const holds = screen.holdsKeyword ? ' It holds a keyword that is not confirmed.' : '';
    say('screening', `It matches no pattern and is humble.${holds}`);
    const source = parts.sources.find(client, parts.nowMs());
    if (source === undefined) return { outcome: 'pass', steps };
    const { address, untilMs } = source;
    const until = new Date(untilMs).toISOString();
    say('source', `${escapeText(address)} is blocked until ${until}: "virus source" tells why.`);
    const mark = markOf({ client, target: reduced.target, peerTrusted: false }, policy);
    say('verdict', verdicts[mark]);
    return { outcome: mark, steps };
  }
  if (answer > humble) {
    const { pattern, origLength, from, hits } = parts.patterns.entry(answer);
    const text = `"${formatPattern(pattern)}" -o ${origLength}`;
    say(
      'screening',
      `It matches the pattern ${text}, from ${escapeText(from)}, which has matched ${hits} times.`,
    );
  } else {
    const keyword = parts.keywordScreen.keywordAt(keywordIndexOf(answer));
    say('screening', `It holds the confirmed keyword "${escapeText(keyword)}".`);
  }
  const mark = markOf({ client, target: reduced.target, peerTrusted: false }, policy);
  say('verdict', verdicts[mark]);
  return { outcome: mark, steps };
}

const verdicts = {
  slip: 'VirusAction=slip: the connection is closed without an answer.',
  drop: 'VirusAction=drop: it is answered 400, and the connection is closed.',
  detect: 'Mode=detect: it is logged and let pass.',
  'never-block': 'NeverBlock names its path or client: it is logged and let pass.',
} as const;
