/** The shipped keyword file: attacks of the data hold its keywords, and no humble request does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ncfChanges } from '../../src/admin/ncf.ts';
import { foldKeyword } from '../../src/virus/keyword-list.ts';
import { KeywordSearch } from '../../src/virus/keyword-search.ts';
import { projectPath } from '../support/paths.ts';
import { readSamples, type Sample } from '../support/samples.ts';
import { keywordFile, readShippedKeywords } from '../support/shipped-keywords.ts';

const shipped = readShippedKeywords();
const keywords = shipped.map(({ keyword }) => keyword);
const search = new KeywordSearch(keywords);
const samples = readSamples();

/** The requests of the samples that hold a keyword, each with the keywords. */
function held(ofKind: Sample['kind']): { requestString: string; found: string[] }[] {
  return samples
    .filter(({ kind }) => kind === ofKind)
    .flatMap(({ requestStrings }) => requestStrings)
    .map((requestString) => {
      const bytes = Buffer.from(requestString, 'latin1');
      const found = search.findAll(bytes, 0, bytes.length);
      return { requestString, found: found.map((index) => keywords[index] ?? '') };
    })
    .filter(({ found }) => found.length > 0);
}

test('the samples are all requests of the data', () => {
  assert.deepEqual(
    samples.map(({ name, requestStrings }) => [name, requestStrings.length]),
    [
      ['requests.tsv', 57],
      ['known-requests.tsv', 261],
      ['site-a attack', 460],
      ['site-a normal', 235],
      ['site-b served', 9780],
      ['site-a probe', 501],
      ['site-a ambiguous', 14],
      ['site-b not served', 220],
    ],
  );
});

test('the console takes every line as what it says', () => {
  const text = readFileSync(projectPath(keywordFile), 'latin1');
  const { changes, faults } = ncfChanges(text, { patternSize: 16, from: 'shipped', atMs: 0 });
  assert.deepEqual(faults, []);
  assert.deepEqual(
    changes.map((change) => (change.kind === 'add-keyword' ? change.keyword : change.kind)),
    keywords,
  );
});

test('no humble request of the data holds a keyword', () => {
  assert.deepEqual(held('humble'), []);
});

test('every keyword is held by an attack of the data', () => {
  const seen = new Set(held('attack').flatMap(({ found }) => found));
  assert.deepEqual(
    keywords.filter((keyword) => !seen.has(keyword)),
    [],
  );
});

test('nine of ten attacks of the data hold a keyword', () => {
  assert.ok(held('attack').length >= 0.9 * (57 + 261 + 460), `${held('attack').length}`);
});

test('no keyword holds another, so that one virus del sets a request free of both', () => {
  const folded = keywords.map(foldKeyword);
  const within = folded.filter((keyword) =>
    folded.some((other) => other !== keyword && other.includes(keyword)),
  );
  assert.deepEqual(within, []);
  assert.equal(new Set(folded).size, folded.length);
});

test('every keyword has a comment that says what it is for', () => {
  assert.deepEqual(
    shipped.filter(({ comment }) => comment.length < 15),
    [],
  );
});

const honest = [
  '/wiki/Special:Search?search=virus',
  '/manual/en/function.phpinfo.php',
  '/docs/docker-compose/',
  '/wp-admin/post.php?post=1&action=edit',
  '/wp-includes/js/jquery/jquery.min.js',
  '/wp-json/wp/v2/posts',
  '/wp-content/plugins/akismet/_inc/form.js',
  '/wp-admin/admin-ajax.php?action=heartbeat',
  '/forum/search.php?q=wget+--mirror+http://example.org/',
  '/forum/search.php?q=rm+-rf+/',
  '/shop/environment/?page=2&sort=price',
  '/downloads/chroot.exe',
  '/config.json',
  '/repo.git/info/refs?service=git-upload-pack',
  '/.well-known/acme-challenge/abc',
  '/mozi.aspx?film=1',
  '/sumthings',
  '/index.php?option=com_content&view=article&id=5',
  '/Editing_wp-config.php',
  '/docs/phpmyadmin.html',
  '/company/contact-info.php',
  '/administrator/index.php',
  '/autodiscover/autodiscover.xml',
  '/courses/sql/select-and-union?page=2',
  '/search?q=union+jack',
  '/search?q=how+to+use+curl+and+wget',
  '/tutorials/javascript/alert',
  '/manager/dashboard',
  '/backups/how-to',
  '/static/language/swedish.json',
  '/blog/the-shell.php-course/',
  '/downloads/backup-2024.zip',
  '/shop?sort=price&order=desc&declare=1',
  '/api/v2/catalog',
  '/admin/console/',
  '/.well-known/security.txt',
];

for (const target of honest) {
  test(`the honest request for ${target} holds no keyword`, () => {
    const bytes = Buffer.from(`${target} HTTP/1.1`, 'latin1');
    assert.equal(search.findInBytes(bytes, 0, bytes.length), -1);
  });
}
