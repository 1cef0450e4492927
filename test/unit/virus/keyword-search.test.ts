import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeywordSearch } from '../../../src/virus/keyword-search.ts';

const classic = ['cmd.exe', 'root.exe', 'default.ida'];

function find(keywords: readonly string[], text: string, mayDecode?: boolean): string | undefined {
  const bytes = Buffer.from(text, 'latin1');
  return keywords[new KeywordSearch(keywords).findInBytes(bytes, 0, bytes.length, mayDecode)];
}

function findAll(keywords: readonly string[], text: string): number[] {
  const bytes = Buffer.from(text, 'latin1');
  return new KeywordSearch(keywords).findAll(bytes, 0, bytes.length);
}

const texts: [string, string | undefined][] = [
  ['/scripts/root.exe?/c+dir HTTP/1.0', 'root.exe'],
  ['/c/winnt/system32/CMD.EXE?/c+dir HTTP/1.0', 'cmd.exe'],
  ['default.ida', 'default.ida'],
  ['/default.idea HTTP/1.1', undefined],
  ['/default.id', undefined],
  ['efault.ida', undefined],
  ['', undefined],
  ['c', undefined],
  ['/cmd%2eexe HTTP/1.1', 'cmd.exe'],
  ['/c%4dD.exe HTTP/1.1', 'cmd.exe'],
  ['/cmd%252eexe HTTP/1.1', 'cmd.exe'],
  ['/cmd%%32eexe HTTP/1.1', 'cmd.exe'],
  ['/cmd%25252eexe HTTP/1.1', undefined],
  ['/cmd.exe%', 'cmd.exe'],
  ['/cmd%.exe', undefined],
  ['/cm%zzd.exe', undefined],
  ['/cmdcmd.execmd.exe', 'cmd.exe'],
  ['/cmd.exroot.exe', 'root.exe'],
];

for (const [text, keyword] of texts) {
  const what = keyword === undefined ? 'no keyword is found' : `${keyword} is found`;
  test(`in ${JSON.stringify(text)} ${what}`, () => {
    assert.equal(find(classic, text), keyword);
    // A keyword too short for the filter makes the automaton read everything.
    assert.equal(find([...classic, '\xff'], text), keyword);
  });
}

test('only bytes from start to end are searched', () => {
  const search = new KeywordSearch(classic);
  const bytes = Buffer.from('/a/cmd.exe%20root%2eexe?b', 'latin1');
  assert.equal(search.findInBytes(bytes, 3, 10), 0);
  assert.equal(search.findInBytes(bytes, 4, bytes.length), 1);
  assert.equal(search.findInBytes(bytes, 3, 9), -1);
  assert.equal(search.findInBytes(bytes, 4, bytes.length - 3), -1);
  assert.deepEqual(search.findAll(bytes, 3, 10), [0]);
  assert.deepEqual(search.findAll(bytes, 4, bytes.length - 2), [1]);
});

test('an escape that is cut off by the end stays', () => {
  const search = new KeywordSearch(['cmd.', 'cmd%2']);
  const bytes = Buffer.from('cmd%2e', 'latin1');
  assert.equal(search.findInBytes(bytes, 0, 6), 1);
  assert.equal(new KeywordSearch(['cmd.']).findInBytes(bytes, 0, 5), -1);
});

test('without keywords nothing is found', () => {
  const search = new KeywordSearch([]);
  assert.equal(search.size, 0);
  assert.equal(search.findInBytes(Buffer.from('cmd%2eexe'), 0, 9), -1);
  assert.deepEqual(search.findAll(Buffer.from('cmd%2eexe'), 0, 9), []);
});

test('the keyword that ends first is given', () => {
  assert.equal(find(['abcdef', 'cde', 'xyz'], '..abcdef.xyz'), 'cde');
  assert.equal(find(['b', 'abc'], 'abc'), 'b');
});

test('of keywords that end at the same byte the longest is given', () => {
  assert.equal(find(['exe', 'cmd.exe', '.exe'], '/cmd.exe'), 'cmd.exe');
});

test('a keyword in the bytes as they are comes before one that has to be decoded', () => {
  assert.equal(find(classic, '/root%2eexe/cmd.exe'), 'cmd.exe');
  assert.equal(find(classic, '/root%252eexe/cmd%2eexe'), 'cmd.exe');
});

test('nothing is decoded for a caller who knows that there is no escape', () => {
  assert.equal(find(classic, '/cmd%2eexe', false), undefined);
  assert.equal(find(classic, '/cmd.exe', false), 'cmd.exe');
});

test('a keyword may hold an escape itself and is found where it stands so', () => {
  assert.equal(find(['%c0%af'], '/scripts/..%C0%AF../winnt'), '%c0%af');
  assert.equal(find(['%c0%af'], '/scripts/..%25c0%25af../winnt'), '%c0%af');
});

test('bytes above ASCII are compared as they are', () => {
  assert.equal(find(['\xc0\xaf\xff'], '/%c0%af%ff'), '\xc0\xaf\xff');
  assert.equal(find(['\xc0\xe4\xff'], '/\xe0\xe4\xff'), undefined);
});

test('bytes that the filter takes for one another are told apart', () => {
  assert.equal(find(['a@b', 'a[b'], 'a`b a{b'), undefined);
  assert.equal(find(['a@b', 'a[b'], 'A[B'), 'a[b');
});

test('all keywords of all three forms are given, in ascending order', () => {
  const keywords = ['zzz', 'cmd', 'exe', 'cmd.exe', 'md.e', '%2e', 'no'];
  assert.deepEqual(findAll(keywords, '/cmd%252eexe'), [1, 2, 3, 4, 5]);
  assert.deepEqual(findAll(keywords, '/CMD.EXE'), [1, 2, 3, 4]);
  assert.deepEqual(findAll(keywords, '/cm%64'), [1]);
});

test('of equal keywords only the first is given', () => {
  assert.deepEqual(findAll(['a', 'EXE', 'exe'], 'x.exe'), [1]);
  assert.equal(new KeywordSearch(['a', 'EXE', 'exe']).size, 3);
});

test('keywords of one byte and of 255 bytes are found', () => {
  const long = `${'a'.repeat(254)}b`;
  assert.equal(find([long, '~'], `/${'a'.repeat(300)}b`), long);
  assert.equal(find([long], `/${'a'.repeat(300)}b`), long);
  assert.equal(find([long, '~'], `/${'a'.repeat(300)}%7e`), '~');
});

test('requests longer than any before are decoded, too', () => {
  const search = new KeywordSearch(classic);
  for (const length of [10, 1100, 5000, 70_000]) {
    const bytes = Buffer.from(`/${'%61'.repeat(length)}/cmd%2eexe`, 'latin1');
    assert.equal(search.findInBytes(bytes, 0, bytes.length), 0);
    assert.equal(search.findInBytes(bytes, 0, bytes.length - 1), -1);
  }
});

test('the bytes that are searched stay as they are', () => {
  const bytes = Buffer.from('/CMD%2eexe', 'latin1');
  const search = new KeywordSearch(classic);
  search.findInBytes(bytes, 0, bytes.length);
  search.findAll(bytes, 0, bytes.length);
  assert.equal(bytes.toString('latin1'), '/CMD%2eexe');
});

test('a keyword that cannot be one is refused', () => {
  for (const wrong of ['', 'x'.repeat(256), '\u0100']) {
    assert.throws(() => new KeywordSearch(['cmd.exe', wrong]), RangeError);
  }
});

/** Keywords of `length` bytes that share nothing but their alphabet. */
function distinctKeywords(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    `${Math.imul(index + 1, 0x9e3779b1) >>> 0}.${index}`.padEnd(length, '/x-y').slice(0, length),
  );
}

test('100,000 keywords of 20 bytes are found among each other', () => {
  const keywords = distinctKeywords(100_000, 20);
  const search = new KeywordSearch(keywords);
  for (let index = 0; index < keywords.length; index += 997) {
    const bytes = Buffer.from(`/${keywords[index]?.slice(1)} ${keywords[index]}`, 'latin1');
    assert.equal(search.findInBytes(bytes, 0, bytes.length), index);
  }
});

for (const length of [2, 5, 20, 250]) {
  test(`memory is at most 24 bytes for each byte of keywords of ${length} bytes, and 8 KiB`, () => {
    const keywords = distinctKeywords(1000, 250).map((each) => each.slice(0, length));
    const search = new KeywordSearch([...new Set(keywords)]);
    assert.ok(search.bytes <= new Set(keywords).size * length * 24 + 8192, `${search.bytes}`);
  });
}
