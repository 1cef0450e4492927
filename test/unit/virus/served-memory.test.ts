import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServedMemory } from '../../../src/virus/served-memory.ts';

const lastsMs = 1_000;

function memory({ patternStartOffset = 1, patternSize = 16, bytesMax = 65_536, seed = 7 } = {}) {
  return new ServedMemory({ patternStartOffset, patternSize, bytesMax, lastsMs, seed, nowMs: 0 });
}

function note(served: ServedMemory, requestString: string, nowMs = 0): void {
  served.note(requestString, 0, requestString.length, nowMs);
}

test('a served request is remembered by its window, and by its path where the window is another', () => {
  const served = memory();
  note(served, '/wp-admin/admin-ajax.php?action=heartbeat HTTP/1.1');
  assert.equal(served.recall('/wp-admin/admin-a-third HTTP/1.0', 0), 'window');
  assert.equal(served.recall('/wp-admin/x/../admin-ajax.php?cmd.exe HTTP/1.0', 0), 'window');
  assert.equal(served.recall('/wp-admin/other.php HTTP/1.0', 0), undefined);
  note(served, '/a.php?one HTTP/1.1');
  assert.equal(served.recall('/a.php?root.exe HTTP/1.0', 0), 'path');
  assert.equal(served.recall('/a.phq?one HTTP/1.1', 0), undefined);
});

test('the request string may stand anywhere in a text', () => {
  const served = memory();
  served.note('GET /a/page/of/the/site HTTP/1.1\r\nHost: /b/page', 4, 32, 0);
  assert.equal(served.recall('/a/page/of/the/site HTTP/1.1', 0), 'window');
  assert.equal(served.recall('/a/page HTTP/1.1', 0), undefined);
});

test('what was served in another spelling counts as served, and the other way round', () => {
  const served = memory();
  note(served, '/%7Euser/page-with-a-name HTTP/1.1');
  assert.equal(served.recall('/~user/page-with-a-name HTTP/1.1', 0), 'window');
  note(served, '/docs/manual/index.html HTTP/1.1');
  assert.equal(served.recall('/x/..%5cdocs//manual/%69ndex.html HTTP/1.1', 0), 'window');
  note(served, '/the-long-name-of-a-folder not-the-version/../../short-name HTTP/1.1');
  assert.equal(served.recall('/short-name HTTP/1.1', 0), 'window', 'a blank within the target');
});

test('a window that reaches beyond the path, or begins beyond the request, is one like others', () => {
  const short = memory({ patternStartOffset: 3, patternSize: 8 });
  note(short, '/a?b%63d HTTP/1.1');
  assert.equal(short.recall('/x?bcd HTTP/1.1', 0), 'window', 'normalised');
  const far = memory({ patternStartOffset: 1024, patternSize: 64 });
  note(far, '/a HTTP/1.1');
  assert.equal(far.recall('/b HTTP/1.1', 0), 'window', 'nothing but zeros');
  const long = `/${'x'.repeat(5_000)}`;
  note(far, `${long}yz/ HTTP/1.1`);
  assert.equal(far.recall(`${long}yz/?q HTTP/1.1`, 0), 'window');
  assert.equal(memory().recall(`${long}yz/?q HTTP/1.1`, 0), undefined);
});

test('paths of 5,000 bytes that differ at their end are different ones', () => {
  const start = 'x'.repeat(4_985);
  // The windows are in the queries, so that the path decides.
  const served = memory({ patternStartOffset: 4_995 });
  note(served, `/path/${start}/one?first HTTP/1.1`);
  assert.equal(served.recall(`/path/${start}/one?other HTTP/1.1`, 0), 'path');
  assert.equal(served.recall(`/path/${start}/two?other HTTP/1.1`, 0), undefined);
});

test('it lasts for the time given at least, and for less than twice that time', () => {
  for (const notedMs of [0, 1, 500, 999]) {
    const served = memory();
    note(served, '/page-one-of-the-site HTTP/1.1', notedMs);
    const recall = (nowMs: number) => served.recall('/page-one-of-the-site HTTP/1.1', nowMs);
    assert.equal(recall(notedMs + lastsMs - 1), 'window');
    assert.equal(recall(notedMs + 2 * lastsMs), undefined, `noted at ${notedMs}`);
  }
});

test('after a long silence nothing is remembered', () => {
  const served = memory();
  note(served, '/page-one-of-the-site HTTP/1.1', 999);
  assert.equal(served.recall('/page-one-of-the-site HTTP/1.1', 86_400_000), undefined);
  note(served, '/page-two-of-the-site HTTP/1.1', 86_400_000);
  assert.equal(served.recall('/page-two-of-the-site HTTP/1.1', 86_400_999), 'window');
});

test('when lately becomes shorter, what was noted a moment ago stays', () => {
  const served = memory();
  served.lastsMs = 24 * lastsMs;
  note(served, '/page-one-of-the-site HTTP/1.1', 20 * lastsMs);
  served.lastsMs = lastsMs;
  assert.equal(served.recall('/page-one-of-the-site HTTP/1.1', 20 * lastsMs + 1), 'window');
  assert.equal(served.recall('/page-one-of-the-site HTTP/1.1', 21 * lastsMs - 1), 'window');
  assert.equal(served.recall('/page-one-of-the-site HTTP/1.1', 22 * lastsMs), undefined);
});

test('a clock that steps back, even to before the start, loses nothing', () => {
  const served = memory();
  note(served, '/page-one-of-the-site HTTP/1.1', 900);
  assert.equal(served.recall('/page-one-of-the-site HTTP/1.1', -86_400_000), 'window');
  assert.equal(served.recall('/page-one-of-the-site HTTP/1.1', -86_400_000 + 999), 'window');
});

test('which other requests are claimed wrongly depends on the secret seed', () => {
  const claimed = [1, 2].map((seed) => {
    const served = memory({ bytesMax: 1_024, seed });
    for (let index = 0; index < 500; index += 1)
      note(served, `/page-${index}-of-the-site HTTP/1.1`);
    const others = Array.from(
      { length: 500 },
      (_, index) => `/other-${index}-of-the-site HTTP/1.1`,
    );
    return others.filter((each) => served.recall(each, 0) !== undefined);
  });
  assert.ok(claimed.every((each) => each.length > 0 && each.length < 500));
  assert.notDeepEqual(claimed[0], claimed[1]);
});

test('a keyword is remembered apart from paths, for as long', () => {
  const served = memory();
  note(served, '/default.ida?NNNN HTTP/1.0');
  assert.equal(served.recallKeyword('/default.ida?', 0), false);
  served.noteKeyword('/default.ida?', 0);
  assert.equal(served.recallKeyword('/default.ida?', lastsMs - 1), true);
  assert.equal(served.recallKeyword('/default.ida', 0), false);
  assert.equal(served.recallKeyword('/default.ida?', 3 * lastsMs), false);
});
