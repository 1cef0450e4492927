/** What Auto Update does not add by itself: what was lately served, and everything if it is told so. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { inLanes } from '../support/lanes.ts';
import { startOrigin } from '../support/origin.ts';
import { askRaw, isSlipped, statusOf } from '../support/raw.ts';
import { startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const learning = ['EnablePatternAutoUpdate=1', 'RefreshInterval=3600', 'HitThreshold=20'];

async function hammer(wormgate: Wormgate, target: string, count = 30): Promise<number[]> {
  const targets = Array.from({ length: count }, () => target);
  return await inLanes(targets, 4, async (each) => {
    return statusOf(await askRaw(wormgate.port, `GET ${each} HTTP/1.1`));
  });
}

async function statusFor(wormgate: Wormgate, target: string): Promise<number> {
  return statusOf(await askRaw(wormgate.port, `GET ${target} HTTP/1.1`));
}

/** A site with pages of its own; all else is 404. */
async function startSite(sections: readonly string[] = []): Promise<Wormgate> {
  const pages = ['/wp-admin/admin-ajax.php', '/shop/', '/how-to/remove-root.exe', '/old'];
  const origin = await startOrigin({ after }, (request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const isPage = pages.includes(path) && !query.startsWith('run=');
    response.statusCode = !isPage ? 404 : path === '/old' ? 301 : 200;
    response.end('x');
  });
  return await startWormgate(
    { after },
    {
      origin: origin.url,
      sections: { 'Virus Pattern Configuration': [...learning, ...sections] },
    },
  );
}

describe('a worm that hammers a page of the site', async () => {
  const site = await startSite();
  for (const keyword of ['cmd.exe', 'root.exe']) site.virus('add', '-k', keyword);

  test('the owner of a page goes on being served, and the console tells why', async () => {
    const owner = '/wp-admin/admin-ajax.php?action=heartbeat';
    assert.equal(await statusFor(site, owner), 200);
    const answers = await hammer(site, '/wp-admin/admin-ajax.php?x=cmd.exe', 60);
    assert.ok(answers.every((status) => status === 200));
    await until(async () => (await site.counter('patterns_proposed')) === 1);
    assert.equal(await statusFor(site, owner), 200);
    const list = site.virus('list').stdout;
    assert.match(list, /^There are no patterns\.$/m);
    assert.match(
      list,
      /^"wp-admin\/admin-a" +\d+ +"cmd\.exe" +its window was lately served +\S+ +\S+ +1 +127\.0\.0\.1 +"GET \/wp-admin\/admin-ajax\.php\?x=cmd\.exe HTTP\/1\.1"$/m,
    );
    await site.logLine(
      /^\[auto update\] .* Proposed "wp-admin\/admin-a".* Not added, because its window was lately served\./,
    );
    assert.match(site.virus('show').stdout, /^No Of Patterns: 0$/m);
  });

  test('the keyword of a served request is not confirmed', async () => {
    assert.match(site.virus('list', '-k').stdout, /^"cmd\.exe" +console +\S+ +- +0 +\d{4}-\S+$/m);
    assert.equal(await statusFor(site, '/elsewhere?x=cmd.exe'), 404);
  });

  test('the path alone protects as well', async () => {
    assert.equal(await statusFor(site, '/shop/?page=1'), 200);
    await hammer(site, '/shop/?run=root.exe');
    await until(async () => (await site.counter('patterns_proposed')) === 2);
    assert.match(
      site.virus('list').stdout,
      /^"shop\/\?run=root\.e" .* its path was lately served /m,
    );
  });

  test('a redirect counts as served', async () => {
    assert.equal(await statusFor(site, '/old'), 301);
    await hammer(site, '/old?run=root.exe');
    await until(async () => (await site.counter('patterns_proposed')) === 3);
  });

  test('a keyword that a served page holds is not confirmed, though patterns are learned by it', async () => {
    assert.equal(await statusFor(site, '/how-to/remove-root.exe'), 200);
    await hammer(site, '/scripts/root.exe?/c+dir');
    await until(async () => (await site.counter('patterns_learned')) === 1);
    assert.ok(isSlipped(await askRaw(site.port, 'GET /scripts/root.exe?/c+dir HTTP/1.1')));
    assert.equal(await statusFor(site, '/how-to/remove-root.exe'), 200);
    assert.equal(await statusFor(site, '/MSADC/root.exe'), 404);
  });

  test('proposals survive kill -9, and what was proposed is not learned when nothing is remembered', async () => {
    await site.stop('SIGKILL');
    await site.start();
    assert.match(site.virus('list').stdout, /^"wp-admin\/admin-a" .*lately served/m);
    await hammer(site, '/wp-admin/admin-ajax.php?x=cmd.exe');
    await until(async () => (await site.counter('suspects_confirmed')) === 1);
    assert.equal(await statusFor(site, '/wp-admin/admin-ajax.php?action=heartbeat'), 200);
  });

  test('accept blocks, reject does not, and neither is forgotten', async () => {
    const bad = site.virus('accept', '-p', 'nonsense');
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /There is no proposed pattern "nonsense"; "virus list" shows/);
    assert.equal(site.virus('accept', '-p', 'shop/?run=root.e', '-o', '5').code, 1);
    const accepted = site.virus('accept', '-p', 'shop/?run=root.e');
    assert.equal(accepted.stdout, 'Accepted "shop/?run=root.e": it blocks from now on.\n');
    assert.ok(isSlipped(await askRaw(site.port, 'GET /shop/?run=root.exe HTTP/1.1')));
    assert.equal(await statusFor(site, '/shop/?page=1'), 200);
    assert.equal(site.virus('reject', '-p', 'wp-admin/admin-a').code, 0);
    site.virus('-r', '3599');
    await hammer(site, '/wp-admin/admin-ajax.php?x=cmd.exe');
    await site.logLine(/Not learned: "wp-admin\/admin-a" was rejected or deleted on the console/);
    await site.stop('SIGKILL');
    await site.start();
    const list = site.virus('list').stdout;
    assert.doesNotMatch(list, /wp-admin/);
    assert.match(list, /^"shop\/\?run=root\.e" .*auto\(root\.exe\)/m);
    assert.ok(isSlipped(await askRaw(site.port, 'GET /shop/?run=root.exe HTTP/1.1')));
  });
});

describe('AutoUpdateAction=propose', async () => {
  const site = await startSite(['AutoUpdateAction=propose']);
  site.virus('add', '-k', 'cmd.exe');

  test('nothing is added before the operator accepts it, and then the keyword is confirmed', async () => {
    const answers = await hammer(site, '/scripts/cmd.exe?/c+dir');
    assert.ok(answers.every((status) => status === 404));
    await until(async () => (await site.counter('patterns_proposed')) === 1);
    assert.match(
      site.virus('list').stdout,
      /^"scripts\/cmd\.exe\?" +\d+ +"cmd\.exe" +AutoUpdateAction=propose /m,
    );
    assert.equal(await statusFor(site, '/scripts/cmd.exe?/c+dir'), 404);
    assert.equal(site.virus('accept', '-p', 'scripts/cmd.exe').code, 1, 'not the whole window');
    assert.equal(site.virus('accept', '-p', 'scripts/cmd.exe?').code, 0);
    assert.ok(isSlipped(await askRaw(site.port, 'GET /scripts/cmd.exe?/c+dir HTTP/1.1')));
    assert.ok(isSlipped(await askRaw(site.port, 'GET /other/CMD.exe HTTP/1.1')));
  });

  test('a learned pattern that is deleted is not learned again, nor does its keyword block', async () => {
    const [, length = ''] = /^"scripts\/cmd\.exe\?" +(\d+)/m.exec(site.virus('list').stdout) ?? [];
    assert.equal(site.virus('del', '-p', 'scripts/cmd.exe?', '-o', length).code, 0);
    // A new interval: within one, a window becomes suspect once.
    site.virus('-r', '3599');
    await hammer(site, '/scripts/cmd.exe?/c+dir');
    assert.equal(await statusFor(site, '/other/CMD.exe'), 404);
    await site.logLine(/Not learned: "scripts\/cmd\.exe\?" was rejected or deleted/);
    assert.match(site.virus('list').stdout, /^There are no patterns\.$/m);
  });
});
