/**
 * The console's commands for the cache: `cache show` and `cache purge`. A grammar of their own, because
 * `virus` is the paper's word for everything else. Carries out what it has read.
 */
import { ageSeconds } from '../cache/entry.ts';
import { acceleratorOfKey, parsePurgeTarget, urlOfKey } from '../cache/key.ts';
import type { ListedAnswer, StoreTotals } from '../cache/store.ts';
import { quote } from '../config/quoted.ts';
import { renderTable, tableOf } from './listing.ts';
import type { Reply } from './reply.ts';
import { cutTokens } from './tokens.ts';

/** What the commands need of the running cache. */
export interface CacheConsole {
  totals(): StoreTotals;
  list(order: 'most-used' | 'newest', max: number): Later<readonly ListedAnswer[]>;
  /** Takes out what is stored for a URL, or for all that begin so; gives how many answers there were. */
  purge(url: string, isPrefix: boolean): Later<number>;
  purgeAll(): Later<number>;
}

type Later<T> = T | Promise<T>;

/** How the commands are typed, with a clause for each. */
export const cacheSyntax: readonly (readonly [typed: string, help: string])[] = [
  ['cache show', 'list the stored answers that are used most'],
  ['cache show newest', 'list those that were stored last'],
  ['cache purge URL', 'take out what is stored for a URL, as in http://www.example.com/a?b=c'],
  ['cache purge URL*', 'take out what is stored for every URL that begins so'],
  ['cache purge all', 'take out everything'],
];

const listedMax = 20;
const urlLengthMax = 100;

function syntax(): string {
  return cacheSyntax.map(([typed]) => typed).join('; ');
}

function refused(message: string): Reply {
  return { ok: false, text: `${message}. Syntax: ${syntax()}` };
}

/** Whether a line is one for the cache. */
export function isCacheLine(line: string): boolean {
  return /^[\t ]*cache(?:[\t \r\n]|$)/i.test(line);
}

/** Carries out a line that begins with `cache`. */
export async function answerCacheLine(
  line: string,
  cache: CacheConsole,
  nowMs: number,
): Promise<Reply> {
  const cut = cutTokens(line);
  if (!cut.ok) return refused(`Column ${cut.column}: ${cut.message}`);
  const [, word, operand, ...more] = cut.tokens.map(({ text }) => text);
  if (word === undefined || /^[-/][h?]$/.test(word)) return { ok: true, text: renderCacheHelp() };
  if (more.length > 0) return refused('There is a word too many');
  switch (word.toLowerCase()) {
    case 'show': {
      const order = operand?.toLowerCase();
      if (order !== undefined && order !== 'newest') {
        return refused(`cache show takes newest or nothing, not ${quote(operand ?? '')}`);
      }
      const text = await show(cache, order === undefined ? 'most-used' : 'newest', nowMs);
      return { ok: true, text };
    }
    case 'purge':
      return operand === undefined ? refused('The URL is missing') : await purge(operand, cache);
    default:
      return refused(`There is no command cache ${quote(word)}`);
  }
}

/** The list of the commands: the reply to `cache -h`. */
export function renderCacheHelp(): string {
  const width = Math.max(...cacheSyntax.map(([typed]) => typed.length));
  return cacheSyntax.map(([typed, clause]) => `${typed.padEnd(width)}  ${clause}`).join('\n');
}

async function purge(operand: string, cache: CacheConsole): Promise<Reply> {
  if (operand.toLowerCase() === 'all') return purged(await cache.purgeAll());
  const isPrefix = operand.endsWith('*');
  const target = parsePurgeTarget(isPrefix ? operand.slice(0, -1) : operand, isPrefix);
  if (!target.ok) return refused(`${quote(operand)}: ${target.message}`);
  return purged(await cache.purge(target.url, isPrefix));
}

function purged(count: number): Reply {
  if (count === 0) return { ok: true, text: 'Nothing is stored for it.' };
  return { ok: true, text: `Took ${count} stored ${count === 1 ? 'answer' : 'answers'} out.` };
}

const header = ['USED', 'AGE', 'FRESH FOR', 'BYTES', 'STATUS', 'SITE', 'URL'];

async function show(
  cache: CacheConsole,
  order: 'most-used' | 'newest',
  nowMs: number,
): Promise<string> {
  const { answers, bytes } = cache.totals();
  const totals = `${answers} stored ${answers === 1 ? 'answer' : 'answers'}, ${bytes} bytes.`;
  if (answers === 0) return totals;
  const listed = await cache.list(order, listedMax);
  const table = tableOf(header, listed, answers, ({ key, answer }) => [
    String(answer.uses),
    String(ageSeconds(answer, nowMs)),
    String(Math.floor((answer.freshUntilMs - nowMs) / 1000)),
    String(answer.body.length),
    String(answer.status),
    printable(acceleratorOfKey(key)),
    printable(urlOfKey(key)),
  ]);
  return `${totals}\n${renderTable(table, '')}`;
}

function printable(text: string): string {
  const cut = text.length > urlLengthMax ? `${text.slice(0, urlLengthMax)}…` : text;
  return quote(cut.replace('…', '...')).slice(1, -1);
}
