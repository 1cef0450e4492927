import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accelerator, faultsOf, settingsOf } from '../../support/settings-text.ts';

test('the defaults of Virus Sources: five misses in a minute, ten minutes, a day at most', () => {
  const { missStatuses, missExceptions, crawlers, ...rest } = settingsOf(accelerator).sources;
  assert.deepEqual(rest, {
    blocking: true,
    missLimit: 5,
    missIntervalMs: 60_000,
    virusLimit: 2,
    blockMs: 600_000,
    blockMsMax: 86_400_000,
    sourcesMax: 100_000,
    crawlerLookupsMax: 16,
  });
  assert.deepEqual(missStatuses, [400, 403, 404, 405, 410, 501]);
  for (const path of ['/', '/favicon*', '/robots.txt', '/.well-known/security.txt']) {
    assert.ok(missExceptions.includes(path), path);
  }
  assert.ok(crawlers.includes('googlebot.com'));
});

test('the keys of Virus Sources are checked, alone and together', () => {
  const text = [
    accelerator,
    '[Virus Sources]',
    'BlockSeconds=700',
    'BlockSecondsMax=600',
    'MissStatus=404, 302',
    'MissExceptions=/a*, x, /b*c, /d?e',
    'Crawlers=*.a.test, localhost',
  ].join('\n');
  const path = 'a path begins with / and holds no blank, ? or #, and a * at its end alone';
  assert.deepEqual(
    faultsOf(text).map((fault) => fault.slice(fault.indexOf('Sources] ') + 9)),
    [
      'BlockSecondsMax: it is 600; allowed is at least BlockSeconds, 700',
      'MissStatus: `302` is out of range; allowed is 400-599',
      `MissExceptions: \`x\`: ${path}`,
      `MissExceptions: \`/b*c\`: ${path}`,
      `MissExceptions: \`/d?e\`: ${path}`,
      'Crawlers: `*.a.test` is not a domain name',
      'Crawlers: `localhost` is not a domain name',
    ],
  );
});
