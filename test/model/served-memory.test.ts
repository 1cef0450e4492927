/**
 * The memory of what was served against lists of windows and paths with their times: what was served
 * within `lastsMs` is never denied, whatever else is served and however the clock jumps; and while it is
 * not full, next to nothing is claimed that was not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalizedRequestString } from '../../src/virus/normalize.ts';
import { cutWindow } from '../../src/virus/pattern.ts';
import { ServedMemory } from '../../src/virus/served-memory.ts';

const lastsMs = 1_000;
const patternSize = 8;

function memory(bytesMax: number, seed = 20010806): ServedMemory {
  return new ServedMemory({
    patternStartOffset: 1,
    patternSize,
    bytesMax,
    lastsMs,
    seed,
    nowMs: 0,
  });
}

/** The window and the path of a request string, each in its raw and its normalised form. */
function namesOf(requestString: string) {
  const forms = [requestString, normalizedRequestString(requestString) ?? requestString];
  return {
    windows: forms.map((form) => Buffer.from(cutWindow(form, 1, patternSize)).toString('latin1')),
    paths: forms.map((form) => /^[^? ]*/.exec(form)?.[0] ?? ''),
  };
}

const segment = fc.constantFrom('a', 'bb', '..', '.', '', '%61', '%2561', 'wp-admin', '\\', 'é');
const target = fc
  .tuple(
    fc.constantFrom('/', '/', '/', ''),
    fc.array(segment, { maxLength: 4 }),
    fc.constantFrom('', '?x=1', '?x=%41', '?/../', ' x/../', '?a=long-enough-for-a-window%41'),
  )
  .map(([first, segments, query]) => `${first}${segments.join('/')}${query}`);
const requestString = fc
  .tuple(target, fc.constantFrom(' HTTP/1.0', ' HTTP/1.1', '  HTTP/1.0'))
  .map((parts) => parts.join(''));

test('what was served lately is never denied', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(requestString, fc.integer({ min: -300, max: 700 })), { maxLength: 30 }),
      requestString,
      fc.integer({ min: 0, max: 1_500 }),
      (notes, asked, laterMs) => {
        const served = memory(4_096);
        const kept: { name: string; kind: 'window' | 'path'; atMs: number }[] = [];
        let nowMs = 0;
        // By a clock that never steps back.
        let passedMs = 0;
        for (const [text, stepMs] of notes) {
          nowMs += stepMs;
          passedMs += Math.max(stepMs, 0);
          served.note(`GET ${text}`, 4, 4 + text.length, nowMs);
          const { windows, paths } = namesOf(text);
          for (const name of windows) kept.push({ name, kind: 'window', atMs: passedMs });
          for (const name of paths) kept.push({ name, kind: 'path', atMs: passedMs });
        }
        nowMs += laterMs;
        passedMs += laterMs;
        const { windows, paths } = namesOf(asked);
        const isKept = (kind: 'window' | 'path', names: readonly string[]) =>
          kept.some((each) => {
            return (
              each.kind === kind && names.includes(each.name) && passedMs - each.atMs < lastsMs
            );
          });
        const answer = served.recall(asked, nowMs);
        if (isKept('window', windows)) assert.equal(answer, 'window');
        else if (isKept('path', paths)) assert.notEqual(answer, undefined);
      },
    ),
    { numRuns: 2_000, seed: 3 },
  );
});

/** A step of a clock, and what happens after it. */
type Moment =
  | { readonly kind: 'note'; readonly page: number; readonly stepMs: number }
  | { readonly kind: 'change'; readonly lastsMs: number; readonly stepMs: number };

const page = fc.nat({ max: 20 });
const stepMs = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant(5_000));

const moment: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('note' as const), page, stepMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      lastsMs: fc.constantFrom(200, 500, 1_000, 10_000),
      stepMs,
    }),
  },
);

function pageText(number: number): string {
  return `/page-${number}-of-the-site HTTP/1.1`;
}

test('what was served lately is never denied while the meaning of lately changes and the clock steps back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(moment, fc.constantFrom(1, 1, 1, -1)), { maxLength: 60 }),
      (moments) => {
        const served = memory(65_536);
        /** How much longer each page must be remembered. */
        const leftMs = new Map<number, number>();
        let nowMs = 0;
        for (const [each, direction] of moments) {
          nowMs += each.stepMs * direction;
          for (const [number, left] of leftMs) {
            const passedMs = direction > 0 ? each.stepMs : 0;
            if (left > passedMs) leftMs.set(number, left - passedMs);
            else leftMs.delete(number);
          }
          if (each.kind === 'note') {
            const text = pageText(each.page);
            served.note(text, 0, text.length, nowMs);
            leftMs.set(each.page, Math.max(served.lastsMs, leftMs.get(each.page) ?? 0));
          } else {
            for (const [number, left] of leftMs) {
              leftMs.set(number, Math.min(left, left - served.lastsMs + each.lastsMs));
              if ((leftMs.get(number) as number) <= 0) leftMs.delete(number);
            }
            served.lastsMs = each.lastsMs;
          }
          for (const number of leftMs.keys()) {
            assert.equal(served.recall(pageText(number), nowMs), 'window', `page ${number}`);
          }
        }
      },
    ),
    { numRuns: 1_000, seed: 4 },
  );
});

test('what was served is forgotten after twice that time, whenever it is asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(page, stepMs), { minLength: 1, maxLength: 60 }), (notes) => {
      const served = memory(65_536);
      const notedMs = new Map<number, number>();
      let nowMs = 0;
      for (const [number, each] of notes) {
        nowMs += each;
        for (const [noted, atMs] of notedMs) {
          if (nowMs - atMs < 2 * lastsMs) continue;
          assert.equal(served.recall(pageText(noted), nowMs), undefined);
        }
        const text = pageText(number);
        served.note(text, 0, text.length, nowMs);
        notedMs.set(number, nowMs);
      }
    }),
    { numRuns: 500, seed: 5 },
  );
});

test('next to nothing is claimed that was not served, and all is forgotten in the end', () => {
  const served = memory(65_536);
  for (let index = 0; index < 2_000; index += 1) {
    const text = `/page-${index}/some/where?x=${index} HTTP/1.1`;
    served.note(text, 0, text.length, 1);
  }
  let wrong = 0;
  for (let index = 0; index < 20_000; index += 1) {
    if (served.recall(`/other${index}/thing HTTP/1.0`, 1) !== undefined) wrong += 1;
  }
  assert.ok(wrong < 400, `${wrong} of 20,000`);
  assert.equal(served.recall('/page-7/some/where HTTP/1.0', 999), 'window');
  assert.equal(served.recall('/page-7/some/where HTTP/1.0', 3_000), undefined);
});

test('a memory that is full claims too much rather than forgetting', () => {
  const served = memory(256);
  const owner = '/wp-admin/admin-ajax.php?action=heartbeat HTTP/1.1';
  served.note(owner, 0, owner.length, 0);
  for (let index = 0; index < 50_000; index += 1) {
    const text = `/${index.toString(36)}/x HTTP/1.1`;
    served.note(text, 0, text.length, 10);
  }
  assert.notEqual(served.recall('/wp-admin/admin-ajax.php?x=cmd.exe HTTP/1.0', 20), undefined);
});

test('the path counts whatever the query and the version, and in each of its spellings', () => {
  const served = memory(65_536);
  const text = '/a/b/script.php?id=7 HTTP/1.1';
  served.note(text, 0, text.length, 0);
  assert.equal(served.recall('/a/b/script.php HTTP/1.0', 1), 'window', 'the same first 8 bytes');
  const long = '/0123456789/one?x HTTP/1.1';
  served.note(long, 0, long.length, 0);
  assert.equal(served.recall('/zzz/../0123456789/one?y HTTP/1.0', 1), 'window');
  assert.equal(served.recall('/0%31/two HTTP/1.0', 1), undefined);
  const encoded = '/%7euser/x HTTP/1.1';
  served.note(encoded, 0, encoded.length, 0);
  assert.notEqual(served.recall('/~user/x?cmd.exe HTTP/1.0', 1), undefined);
});
