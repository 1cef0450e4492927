/** The web console in a real browser: traffic is seen, commands work, hostile text stays text, axe is content. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { programPath, skipWithout } from '../support/parts.ts';
import { projectPath } from '../support/paths.ts';
import { askRaw, isSlipped } from '../support/raw.ts';
import { untilTold } from '../support/source-rig.ts';
import { startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const skip = skipWithout('chromium');

/** A browser and a page of the console of `wormgate`; whatever script or dialog is not ours is told of. */
async function openPage(wormgate: Wormgate) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: programPath('chromium'),
    args: ['--no-sandbox'],
  });
  after(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  await page.goto(`http://127.0.0.1:${wormgate.adminPort}/`);
  return { page, complaints };
}

test('an operator sees worms, adds a pattern, sees it block, deletes it, and accepts a proposed one', {
  skip,
}, async (t) => {
  const wormgate = await startWormgate(t, {
    sections: {
      'Virus Pattern Configuration': [
        'EnablePatternAutoUpdate=1',
        'AutoUpdateAction=propose',
        'HitThreshold=3',
        'RefreshInterval=1',
      ],
    },
  });
  const { page, complaints } = await openPage(wormgate);
  await page.getByText('connected', { exact: true }).waitFor();
  const tile = (name: string) =>
    page.locator('#tiles div', { hasText: name }).locator('dd').first();
  await page.getByLabel('Keyword', { exact: true }).fill('<img src=x onerror=alert(1)>');
  await page.locator('#add-keyword button').click();
  await page.locator('#keyword-rows code', { hasText: '<img src=x' }).waitFor();
  // Markup in a request: what is learned by it is shown, and stays text.
  const hostile = 'GET /"><img/src=x/onerror=alert(1)>worm.ida HTTP/1.1';
  await page.getByLabel('Keyword', { exact: true }).fill('worm.ida');
  await page.locator('#add-keyword button').click();
  await page.locator('#keyword-rows code', { hasText: 'worm.ida' }).waitFor();
  for (let round = 0; round < 8; round += 1) await askRaw(wormgate.port, hostile);
  const accept = page.getByRole('button', { name: /^Accept the pattern/ });
  await accept.waitFor();
  assert.equal(await page.locator('img').count(), 0);
  await accept.click();
  await page.locator('#pattern-rows code', { hasText: '><img/src' }).waitFor();
  assert.ok(isSlipped(await askRaw(wormgate.port, hostile)));
  await page.getByLabel('Pattern', { exact: true }).fill('\\x65vil.ida HTTP/1.');
  await page.getByLabel('Original length').fill('19');
  await page.locator('#add-pattern button').click();
  await page.locator('#pattern-rows code', { hasText: 'evil.ida HTTP/1.' }).waitFor();
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /evil.ida HTTP/1.1')));
  await until(async () => Number(await tile('Virus requests').innerText()) >= 2);
  await page.getByRole('button', { name: 'Delete the pattern evil.ida HTTP/1.' }).click();
  await page.locator('#pattern-rows code', { hasText: 'evil.ida' }).waitFor({ state: 'detached' });
  assert.ok(!isSlipped(await askRaw(wormgate.port, 'GET /evil.ida HTTP/1.1')));
  await page.getByLabel(/^Request line/).fill(hostile);
  await page.getByRole('button', { name: 'Inspect' }).click();
  await page.locator('#outcome', { hasText: 'slip' }).waitFor();
  await until(async () => (await tile('Patterns').innerText()) === '1');
  assert.deepEqual(complaints, []);
  await wormgate.logLine(/^\[web 127\.0\.0\.1\] virus accept -p /);
});

test('with a token the page asks for it, and nothing of the server is on it before', {
  skip,
}, async (t) => {
  const wormgate = await startWormgate(t);
  await wormgate.stop();
  wormgate.configure({
    sections: { Admin: [`Listen=127.0.0.1:${wormgate.adminPort}`, 'Token=a-secret'] },
  });
  await wormgate.start();
  const { page } = await openPage(wormgate);
  await page.getByLabel(/^Token/).fill('wrong');
  await page.locator('#login button').click();
  await page.getByText('The token is wrong.').waitFor();
  assert.equal(await page.locator('#content').isVisible(), false);
  assert.equal(await page.locator('nav').isVisible(), false);
  await page.getByLabel(/^Token/).fill('a-secret');
  await page.locator('#login button').click();
  await page.getByText('connected', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('connected', { exact: true }).waitFor();
  const cookies = await page.context().cookies();
  assert.deepEqual(
    cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]),
    [[true, 'Strict']],
  );
  await page.reload();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel(/^Token/).waitFor();
  await page.getByLabel(/^Token/).fill('a-secret');
  await page.locator('#login button').click();
  await page.getByText('connected', { exact: true }).waitFor();
  // A restart ends the session: the page asks again, and needs no reload by hand.
  await wormgate.stop();
  await page.getByText('the server does not answer').waitFor();
  await wormgate.start();
  await page.getByLabel(/^Token/).waitFor();
});

test('hits are kept current, keyboard users stay where they are, and colours follow the system', {
  skip,
}, async (t) => {
  const wormgate = await startWormgate(t);
  const { page, complaints } = await openPage(wormgate);
  await page.getByText('connected', { exact: true }).waitFor();
  for (const name of ['one', 'two']) {
    await page.getByLabel('Pattern', { exact: true }).fill(`${name}.ida HTTP/1.1`);
    await page.getByLabel('Original length').fill('17');
    await page.locator('#add-pattern button').click();
    await page.locator('#pattern-rows code', { hasText: `${name}.ida` }).waitFor();
  }
  const two = page.getByRole('button', { name: 'Delete the pattern two.ida' });
  await two.focus();
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET /two.ida HTTP/1.1')));
  const hits = page.locator('#pattern-rows tr', { hasText: 'two.ida' }).locator('td').nth(4);
  await until(async () => (await hits.innerText()) === '1');
  const focused = () => page.locator(':focus').getAttribute('aria-label');
  assert.match(String(await focused()), /^Delete the pattern two/);
  await page.keyboard.press('Enter');
  await two.waitFor({ state: 'detached' });
  assert.equal(await focused(), 'The patterns');
  const markerColor = () =>
    page.evaluate(
      "getComputedStyle(document.querySelector('.u-marker[style*=virus]')).borderTopColor",
    );
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await markerColor();
  await page.emulateMedia({ colorScheme: 'light' });
  assert.notEqual(await markerColor(), dark);
  assert.deepEqual(complaints, []);
});

test('the last page of patterns that can be had is the last', { skip }, async (t) => {
  const wormgate = await startWormgate(t);
  for (let first = 0; first < 2_001; first += 500) {
    const count = Math.min(500, 2_001 - first);
    const lines = Array.from({ length: count }, (_, at) => `virus add -p "p${first + at}" -o 9`);
    const answer = await fetch(`http://127.0.0.1:${wormgate.adminPort}/api/console`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ lines }),
    });
    assert.equal(answer.status, 200);
  }
  const { page, complaints } = await openPage(wormgate);
  await page.getByText('1 to 25 of 2001').waitFor();
  const on = page.locator('#pattern-next');
  await on.evaluate((button) => {
    for (let page = 1; page < 80; page += 1) (button as unknown as { click(): void }).click();
  });
  await page.getByText('1976 to 2000 of 2001').waitFor();
  assert.equal(await on.isDisabled(), true);
  assert.deepEqual(complaints, []);
});

test('a page that is open when a token comes asks for it', { skip }, async (t) => {
  const wormgate = await startWormgate(t);
  const { page } = await openPage(wormgate);
  await page.getByText('connected', { exact: true }).waitFor();
  wormgate.configure({
    sections: { Admin: [`Listen=127.0.0.1:${wormgate.adminPort}`, 'Token=a-secret'] },
  });
  wormgate.signal('SIGHUP');
  await page.getByLabel(/^Token/).waitFor();
  assert.equal(await page.locator('#content').isVisible(), false);
});

for (const [scheme, width] of [
  ['dark', 1200],
  ['light', 1200],
  ['light', 400],
] as const) {
  test(`axe finds no serious fault: ${scheme}, ${width} pixels wide`, { skip }, async (t) => {
    const wormgate = await startWormgate(t);
    const { page } = await openPage(wormgate);
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.getByText('connected', { exact: true }).waitFor();
    await until(
      async () =>
        (await page.evaluate('document.documentElement.scrollWidth <= innerWidth')) === true,
    );
    await page.evaluate(readFileSync(projectPath('node_modules/axe-core/axe.min.js'), 'utf8'));
    const faults = await page.evaluate(async () => {
      const run: { axe: { run(): Promise<{ violations: readonly AxeViolation[] }> } } =
        globalThis as never;
      const { violations } = await run.axe.run();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
    assert.deepEqual(faults, []);
  });
}

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

test('a source that was blocked is shown with what it asked for, and forgiven with one click', {
  skip,
}, async (t) => {
  const wormgate = await startWormgate(t, {
    sections: { 'Virus Sources': ['SourceBlocking=1', 'MissLimit=2'] },
  });
  const { page, complaints } = await openPage(wormgate);
  await page.getByText('connected', { exact: true }).waitFor();
  await askRaw(wormgate.port, 'GET /"><img/src=x/onerror=alert(1)> HTTP/1.1');
  await askRaw(wormgate.port, 'GET /never-there HTTP/1.1');
  await untilTold(wormgate);
  assert.ok(isSlipped(await askRaw(wormgate.port, 'GET / HTTP/1.1')));
  const row = page.locator('#virus-source-rows tr', { hasText: '127.0.0.1' });
  await row.getByText('2 requests').click();
  await row.getByText('/never-there').waitFor();
  await row.getByText('<img/src=x').waitFor();
  assert.equal(await page.locator('img').count(), 0);
  await page.getByRole('button', { name: 'Forgive 127.0.0.1' }).click();
  await row.waitFor({ state: 'detached' });
  assert.ok(!isSlipped(await askRaw(wormgate.port, 'GET / HTTP/1.1')));
  await page.getByLabel('Address', { exact: true }).fill('203.0.113.9');
  await page.getByLabel('Seconds').fill('60');
  await page.getByRole('button', { name: 'Block' }).click();
  await page.locator('#virus-source-rows tr', { hasText: '203.0.113.9' }).waitFor();
  assert.deepEqual(complaints, []);
  await wormgate.logLine(/^\[web 127\.0\.0\.1\] virus forgive 127\.0\.0\.1/);
});
