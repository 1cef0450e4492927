/**
 * Cases of the cache over real sockets: a list of requests, what the origin answers, and what client and
 * origin must have seen. Each is played on the fast path and on the front, and both must agree: on the
 * answers, on what the origin received, on the log lines and on the counters.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, headerOf } from './answer.ts';
import type { Cleanup } from './cleanup.ts';
import { readLogLine } from './lane-transcript.ts';
import { RawClient } from './raw-client.ts';
import { type ScriptedOrigin, startScriptedOrigin, valuesOf } from './scripted-origin.ts';
import { startWormgate, until, type Wormgate } from './wormgate.ts';

/** An origin's answer. */
export interface Reply {
  readonly status?: number;
  /** `{path}` stands for the case's own path. */
  readonly lines?: readonly string[];
  readonly body?: string;
}

export interface Step {
  /** By default GET. */
  readonly method?: string;
  /** Behind the case's own path. */
  readonly path?: string;
  readonly lines?: readonly string[];
  /** Sent with a Content-Length. */
  readonly content?: string;
  /** Undefined: the origin must not be asked. `gone`: it closes the connection without an answer. */
  readonly origin?: Reply | 'gone';
  /** What the origin must have been sent; undefined: a field that it must not. */
  readonly heard?: Readonly<Record<string, string | undefined>>;
  /** By default 200. */
  readonly status?: number;
  readonly body?: string;
  /** Cache-Status without our name and `ttl`; undefined: not looked at, empty: there is none. */
  readonly cache?: string;
  /** In seconds, give or take how long the test took. */
  readonly ttl?: number;
  readonly age?: number;
  /** Fields of the answer; undefined: one that must be missing. */
  readonly sees?: Readonly<Record<string, string | undefined>>;
  /** The request is repeated until it is answered so: for what is done behind the client's back. */
  readonly isEventual?: boolean;
}

export type Case = readonly [title: string, ...steps: Step[]];

export interface CacheLane {
  readonly name: 'fast path' | 'front';
  readonly wormgate: Wormgate;
  readonly origin: ScriptedOrigin;
}

const slackSeconds = 30;
const baseMs = Date.now();
let caseCount = 0;

/** An HTTP date so many seconds before the test began. */
export function ago(seconds: number): string {
  return new Date(baseMs - seconds * 1000).toUTCString();
}

/** An answer as text; with a Date and a Content-Length unless its lines say otherwise. */
export function replyText({ status = 200, lines = [], body = '' }: Reply): string {
  const has = (name: string) => lines.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const isFramed = has('content-length') || has('transfer-encoding');
  const hasNoBody = status === 204 || status === 304;
  const framing = isFramed || hasNoBody ? [] : [`Content-Length: ${body.length}`];
  const date = has('date') ? [] : [`Date: ${new Date().toUTCString()}`];
  return `${[`HTTP/1.1 ${status} Said`, ...date, ...lines, ...framing].join('\r\n')}\r\n\r\n${body}`;
}

/** A wormgate for each lane, each before an origin of its own. */
export async function startCacheLanes(
  cleanup: Cleanup,
  cache: readonly string[] = [],
  accelerator: readonly string[] = [],
): Promise<readonly CacheLane[]> {
  const start = async (name: CacheLane['name'], fastPath: number): Promise<CacheLane> => {
    const origin = await startScriptedOrigin(cleanup);
    const wormgate = await startWormgate(cleanup, {
      origin: origin.url,
      accelerator: ['Cache=1', ...accelerator],
      sections: {
        'Extra Configuration': ['ScanVirusPatterns=1', `FastPath=${fastPath}`],
        Cache: cache,
      },
    });
    return { name, wormgate, origin };
  };
  return await Promise.all([start('fast path', 1), start('front', 0)]);
}

/** Plays a table of cases, each as a test of its own, and compares the lanes. */
export function playCases(name: string, lanes: readonly CacheLane[], cases: readonly Case[]): void {
  describe(name, { concurrency: 8 }, () => {
    for (const [title, ...steps] of cases) {
      const path = `/case-${caseCount++}-`;
      test(title, async () => {
        const told = await Promise.all(lanes.map((lane) => play(lane, path, steps)));
        assert.deepEqual(told[0], told[1], 'the lanes differ');
      });
    }
  });
  test(`${name}: the lanes write the same lines and count the same`, async () => {
    const logs = await Promise.all(lanes.map(({ wormgate }) => logOf(wormgate)));
    assert.deepEqual(logs[0], logs[1]);
    const counters = await Promise.all(lanes.map(({ wormgate }) => countersOf(wormgate)));
    assert.deepEqual(counters[0], counters[1]);
  });
}

async function play(lane: CacheLane, path: string, steps: readonly Step[]): Promise<string[]> {
  const told: string[] = [];
  let client = await RawClient.connect(lane.wormgate.port);
  try {
    for (const [number, step] of steps.entries()) {
      if (client.closed) {
        client.destroy();
        client = await RawClient.connect(lane.wormgate.port);
      }
      const at = `${lane.name}, step ${number + 1}`;
      told.push(...(await playStep(lane, client, path, step, at)));
    }
  } finally {
    client.destroy();
  }
  return told;
}

async function playStep(
  { origin }: CacheLane,
  client: RawClient,
  casePath: string,
  step: Step,
  at: string,
): Promise<string[]> {
  const path = casePath + (step.path ?? '');
  const before = origin.callsOf(path).length;
  origin.on(path, (call) => {
    if (step.origin === undefined) call.say(replyText({ body: 'not to be asked' }));
    else if (step.origin === 'gone') call.socket.destroy();
    else {
      const text = replyText(step.origin).replaceAll('{path}', casePath);
      call.say(call.head.startsWith('HEAD ') ? text.slice(0, text.indexOf('\r\n\r\n') + 4) : text);
    }
  });
  const method = step.method ?? 'GET';
  const { content } = step;
  const framing = content === undefined ? [] : [`Content-Length: ${content.length}`];
  const lines = [...(step.lines ?? []), ...framing].map((line) => `${line}\r\n`).join('');
  const request = `${method} ${path} HTTP/1.1\r\nHost: site.test\r\n${lines}\r\n${content ?? ''}`;
  let answer = await client.ask(request);
  const end = performance.now() + 5000;
  while (step.isEventual === true && !isAsExpected(answer, step) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    answer = await client.ask(request);
  }
  checkAnswer(answer, step, at);
  const isAsked = () => origin.callsOf(path).length > before;
  // Behind the client's back the origin is asked a moment later.
  if (step.origin !== undefined) await until(isAsked, 5000, () => `${at}: the origin is not asked`);
  const calls = origin.callsOf(path).slice(before);
  if (step.origin !== 'gone') {
    assert.equal(calls.length, step.origin === undefined ? 0 : 1, `${at}: requests at the origin`);
  }
  for (const { head } of calls) {
    for (const [name, value] of Object.entries(step.heard ?? {})) {
      const expected = value === undefined ? [] : [value];
      assert.deepEqual(valuesOf(head, name), expected, `${at}: ${name} at the origin`);
    }
  }
  const heads = calls.map(({ head }) => head.replace(/\r\nConnection: [^\r]*/, ''));
  const shown = step.isEventual === true ? [] : describeAnswer(answer);
  return [...shown, ...heads.flatMap((head) => head.split('\r\n'))];
}

function isAsExpected(answer: Answer, step: Step): boolean {
  try {
    checkAnswer(answer, step, '');
    return true;
  } catch {
    return false;
  }
}

function checkAnswer(answer: Answer, step: Step, at: string): void {
  assert.equal(answer.status, step.status ?? 200, `${at}: status`);
  if (step.body !== undefined) assert.equal(answer.body.toString('latin1'), step.body, at);
  const told = headerOf(answer, 'cache-status');
  if (step.cache !== undefined) {
    const bare = (told ?? '').replace(/^wormgate; /, '').replace(/; ttl=-?\d+/, '');
    assert.equal(bare, step.cache, `${at}: Cache-Status`);
  }
  if (step.ttl !== undefined) {
    const ttl = Number(/; ttl=(-?\d+)/.exec(told ?? '')?.[1]);
    const isNear = ttl <= step.ttl && ttl >= step.ttl - slackSeconds;
    assert.ok(isNear, `${at}: ttl ${ttl} for ${step.ttl}`);
  }
  if (step.age !== undefined) {
    const age = Number(headerOf(answer, 'age'));
    const isNear = age >= step.age && age <= step.age + slackSeconds;
    assert.ok(isNear, `${at}: age ${age} for ${step.age}`);
  }
  for (const [name, value] of Object.entries(step.sees ?? {})) {
    assert.equal(headerOf(answer, name), value, `${at}: ${name}`);
  }
}

/** For comparison: without what the moment decides. */
function describeAnswer({ version, status, reason, lines, body, framing }: Answer): string[] {
  const id = lines.find(([name]) => name === 'X-Request-Id')?.[1] ?? '\n';
  const isHit = lines.some(([name, value]) => name === 'Cache-Status' && / hit/.test(value));
  // Where a second begins between the two, an answer is a second old when it comes.
  const isByChance = (name: string, value: string) =>
    name === 'Age' && !isHit && Number(value) < slackSeconds;
  const timeless = lines.filter(([name, value]) => !isByChance(name, value));
  const shownLines = timeless.map(([name, value]) => {
    const key = name.toLowerCase();
    if (key === 'age') return `${name}: <age>`;
    if (key === 'date') return `${name}: <date>`;
    // An id takes its length out of it.
    if (key === 'content-length' && id !== '\n') return `${name}: <length>`;
    return `${name}: ${value.replace(id, '<id>').replace(/ttl=-?\d+/, 'ttl=<ttl>')}`;
  });
  const text = body.toString('latin1').replaceAll(id, '<id>');
  return [`HTTP/${version} ${status} ${reason}`, ...shownLines, `${framing}: ${text}`];
}

/** The lines of all cases by their path: their order among one another is chance. */
async function logOf(wormgate: Wormgate): Promise<string[]> {
  const requests = await wormgate.counter('requests');
  const read = () =>
    wormgate
      .log()
      .split('\n')
      .filter((line) => line.includes(' /case-'));
  await until(
    () => read().length >= requests,
    5000,
    () => `${read().length} of ${requests} lines`,
  );
  const lines = read().map((line) => readLogLine(line).text);
  const repeated = (line: string, index: number, all: readonly string[]) => line !== all[index - 1];
  const pathOf = (line: string) => / (\S+) HTTP/.exec(line)?.[1] ?? '';
  return lines.sort((one, other) => pathOf(one).localeCompare(pathOf(other))).filter(repeated);
}

/** Without those that a repeated request counts in. */
const repeatable = /^(requests|connections|screened|cache_hits|cache_stale_hits|humble)/;

async function countersOf({ adminPort }: Wormgate): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const lines = (await answer.text()).split('\n');
  return lines.filter((line) => {
    const name = /^wormgate_(cache_\w+|requests_\w+|origin_\w+)_total /.exec(line)?.[1];
    return name !== undefined && !repeatable.test(name);
  });
}
