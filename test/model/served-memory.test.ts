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
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom('', '?x=1', '?x=%41', '?/../'))
  .map(([segments, query]) => `/${segments.join('/')}${query}`);
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
        for (const [text, stepMs] of notes) {
          nowMs += stepMs;
          served.note(`GET ${text}`, 4, 4 + text.length, nowMs);
          const { windows, paths } = namesOf(text);
          for (const name of windows) kept.push({ name, kind: 'window', atMs: nowMs });
          for (const name of paths) kept.push({ name, kind: 'path', atMs: nowMs });
        }
        nowMs += laterMs;
        const { windows, paths } = namesOf(asked);
        const isKept = (kind: 'window' | 'path', names: readonly string[]) =>
          kept.some((each) => {
            return each.kind === kind && names.includes(each.name) && nowMs - each.atMs < lastsMs;
          });
        const answer = served.recall(asked, nowMs);
        if (isKept('window', windows)) assert.equal(answer, 'window');
        else if (isKept('path', paths)) assert.notEqual(answer, undefined);
      },
    ),
    { numRuns: 2_000, seed: 3 },
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
