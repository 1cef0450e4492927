/** The shipped pattern files: they stop the requests of requests.tsv and no humble one of the logs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ncfChanges } from '../../src/admin/ncf.ts';
import { formatPattern } from '../../src/virus/pattern.ts';
import { projectPath } from '../support/paths.ts';
import {
  readKnownRequests,
  readSiteB,
  readWormRequests,
  wormRequestString,
} from '../support/requests-data.ts';
import { readSamples } from '../support/samples.ts';
import {
  readPatternedWorms,
  readShippedPatterns,
  shippedPatternFiles,
  shippedScreen,
  windowsOf,
} from '../support/shipped-patterns.ts';

const patterns = shippedPatternFiles.flatMap(readShippedPatterns);
const windows = new Set(patterns.map(({ pattern }) => pattern));

const screen = shippedScreen();

function isBlocked(requestString: string): boolean {
  return screen.screen(requestString) !== -1;
}

for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
  test(`every request of requests.tsv but two is blocked over ${version}`, () => {
    const requests = readPatternedWorms();
    assert.equal(requests.length, readWormRequests().length - 2);
    assert.equal(requests.length, 55);
    const missed = requests.filter((request) => !isBlocked(wormRequestString(request, version)));
    assert.deepEqual(missed, []);
  });
}

test('no request of site-b is blocked, raw or normalised', () => {
  const requests = readSiteB();
  assert.equal(requests.length, 10_000);
  const blocked = requests.filter(({ target, version }) => isBlocked(`${target} ${version}`));
  assert.deepEqual(blocked, []);
});

test('no humble request of site-a is blocked, raw or normalised', () => {
  const [humble] = readSamples().filter(({ name }) => name === 'site-a normal');
  assert.equal(humble?.requestStrings.length, 235);
  assert.deepEqual(humble?.requestStrings.filter(isBlocked), []);
});

test('every pattern stops a request of the data', () => {
  const strings = readSamples().flatMap(({ requestStrings }) => requestStrings);
  const older = [...readWormRequests(), ...readKnownRequests()].map((request) =>
    wormRequestString(request, 'HTTP/1.0'),
  );
  const seen = new Set([...strings, ...older].flatMap(windowsOf));
  assert.deepEqual(
    patterns.filter(({ pattern }) => !seen.has(pattern)),
    [],
  );
});

const honest = [
  '/wp-content/plugins/contact-form-7/includes/css/styles.css',
  '/wp-content/themes/twentytwentyfour/style.css',
  '/wp-includes/js/jquery/jquery.min.js',
  '/wp-login.php',
  '/wp-admin/admin-ajax.php',
  '/xmlrpc.php',
  '/administrator/index.php',
  '/administrator/components/com_media/css/media.css',
  '/index.php?option=com_content&view=article&id=5',
  '/vendor/bootstrap/bootstrap.min.css',
  '/public/vendor/photos/1.jpg',
  '/cgi-bin/search.cgi?q=1',
  '/api/users',
  '/admin/index.php',
  '/autodiscover/autodiscover.xml',
  '/.well-known/acme-challenge/abc',
  '/phpmyadmin/index.php',
];

for (const target of honest) {
  test(`the honest request for ${target} is not blocked`, () => {
    assert.equal(isBlocked(`${target} HTTP/1.1`), false);
  });
}

test('a disguised Code Red is blocked by its normalised window', () => {
  for (const start of [
    '/%64efault.ida?',
    '/x/../default.ida?',
    '//default.ida?',
    '/.\\default.ida?',
  ])
    assert.ok(isBlocked(`${start}${'N'.repeat(224)} HTTP/1.0`), start);
});

test('the pattern of the paper is shipped with the length of the paper', () => {
  const codeRed = patterns.find(({ pattern }) => pattern === 'default.ida?NNNN');
  assert.equal(codeRed?.origLength, 385);
});

for (const file of shippedPatternFiles) {
  test(`the console takes every line of ${file} as what it says`, () => {
    const text = readFileSync(projectPath(file), 'latin1');
    const { changes, faults } = ncfChanges(text, { patternSize: 16, from: 'shipped', atMs: 0 });
    assert.deepEqual(faults, []);
    const added = changes.map((change) => {
      assert.ok(change.kind === 'add');
      return [formatPattern(change.pattern), change.origLength];
    });
    const written = readShippedPatterns(file).map((each) => [each.pattern, each.origLength]);
    assert.deepEqual(added, written);
  });
}

test('no window is listed twice, so that one virus del sets it free', () => {
  assert.equal(windows.size, patterns.length);
});

test('every pattern fits the default PatternSize of 16', () => {
  assert.deepEqual(
    patterns.filter(({ pattern }) => pattern.length > 16),
    [],
  );
});

test('a pattern shorter than 16 bytes ends with its version', () => {
  const short = patterns.filter(({ pattern }) => pattern.length < 16);
  assert.deepEqual(
    short.filter(({ pattern }) => !/ HTTP\/1\.[01]$/.test(pattern)),
    [],
  );
});

test('every pattern has a comment of its own that says what it stops', () => {
  assert.deepEqual(
    patterns.filter(({ comment }) => comment.length < 15),
    [],
  );
});

test('origLength is the length of a request that the pattern stops', () => {
  const lengths = new Map<string, Set<number>>();
  for (const request of [...readWormRequests(), ...readKnownRequests()]) {
    const requestString = wormRequestString(request, 'HTTP/1.1');
    for (const window of windowsOf(requestString)) {
      const known = lengths.get(window) ?? new Set();
      lengths.set(window, known.add(requestString.length));
    }
  }
  for (const { pattern, origLength, file, line } of patterns) {
    const seen = lengths.get(pattern);
    if (seen) assert.ok(seen.has(origLength), `${file}:${line}: ${origLength}, seen ${[...seen]}`);
  }
});

test('patterns/README.md lists every pattern that an owner may have to take out', () => {
  const readme = readFileSync(projectPath('patterns/README.md'), 'latin1');
  const forOwners = patterns.filter(({ comment }) => comment.includes('OWNER'));
  assert.ok(forOwners.length > 0);
  for (const { pattern, origLength, comment } of forOwners) {
    const command = `virus del -p "${pattern}" -o ${origLength}`;
    assert.ok(comment.includes(command), `the comment names: ${command}`);
    assert.ok(readme.includes(command), `the README names: ${command}`);
  }
});
