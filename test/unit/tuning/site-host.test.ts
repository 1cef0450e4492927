/** Which host a log is of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SiteHost } from '../../../src/tuning/site-host.ts';

function hostAfter(...referers: string[]): string | undefined {
  const host = new SiteHost();
  for (const referer of referers) host.note(referer);
  return host.name;
}

test('it is the host named most often, whatever the path and the scheme', () => {
  assert.equal(hostAfter(), undefined);
  assert.equal(hostAfter('-', 'nonsense', ''), undefined);
  assert.equal(hostAfter('http://a.example'), 'a.example');
  assert.equal(
    hostAfter('https://search.example/?q=1', 'http://a.example/', 'https://A.example:8443/x'),
    'a.example',
  );
  assert.equal(
    hostAfter('https://a.example/x', 'http://b.example/', 'https://a.example/y', 'http://c/'),
    'a.example',
  );
});

test('of two named equally often it is the first, and hosts without end are not kept', () => {
  assert.equal(hostAfter('http://a/', 'http://b/'), 'a');
  const host = new SiteHost();
  for (let count = 0; count < 20_000; count += 1) host.note(`http://${count}.example/`);
  host.note('http://0.example/');
  assert.equal(host.name, '0.example');
  for (let count = 0; count < 3; count += 1) host.note('http://new.example/');
  assert.equal(host.name, '0.example');
});

test('after the first ten thousand Referers every sixteenth is asked for', () => {
  const host = new SiteHost();
  const due = Array.from({ length: 26_000 }, () => host.isDue).filter(Boolean);
  assert.equal(due.length, 10_000 + 1_000);
});
