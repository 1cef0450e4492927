/**
 * The paper's story on the running server: a server behind the egress gateway is infected and connects to
 * a thousand hosts as fast as it can, while its neighbour goes on talking to its three. The addresses of
 * 127.0.0.0/8 are the hosts.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { programPath, skipWithout } from '../support/parts.ts';
import { projectPath } from '../support/paths.ts';
import { RawClient } from '../support/raw-client.ts';
import { freePort, runCli, startWormgate, until, type Wormgate } from '../support/wormgate.ts';

const infected = '127.0.0.50';
const neighbour = '127.0.0.60';
const hostCount = 1_000;

const run = promisify(execFile);
/** Every host of the world: they listen on one port and note who was reached. */
let world: Server;
let worldPort = 0;
const reached = new Set<string>();

before(async () => {
  world = createServer((socket: Socket) => {
    reached.add(socket.localAddress ?? '');
    socket.on('error', () => {});
    socket.end('hello\n');
  });
  world.listen(0, '0.0.0.0');
  await once(world, 'listening');
  const address = world.address();
  worldPort = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => world.close());

function statusOf(wormgate: Wormgate, ...args: string[]): string {
  return runCli(['status', '--data', wormgate.dataFolder, ...args]).stdout;
}

function figure(report: string, name: string): number {
  return Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(report)?.[1]);
}

async function connectThrough(gateway: number, host: string, from: string): Promise<RawClient> {
  const client = await RawClient.connect(gateway, from);
  client.send(`CONNECT ${host}:${worldPort} HTTP/1.1\r\nHost: ${host}:${worldPort}\r\n\r\n`);
  return client;
}

async function visit(gateway: number, host: string): Promise<void> {
  const client = await connectThrough(gateway, host, neighbour);
  await client.until(() => client.text.endsWith('hello\n'), `an answer of ${host}`);
  client.destroy();
}

/** Begins what the worm does; ends it when called. */
async function letWormLoose(gateway: number): Promise<() => void> {
  const clients: RawClient[] = [];
  for (let start = 0; start < hostCount; start += 100) {
    const batch = Array.from({ length: 100 }, (_, index) => {
      const number = start + index;
      const host = `127.1.${Math.floor(number / 250)}.${(number % 250) + 1}`;
      return connectThrough(gateway, host, infected);
    });
    clients.push(...(await Promise.all(batch)));
  }
  return () => {
    for (const client of clients) client.destroy();
  };
}

test('an infected server is slowed and told of, and its neighbour is not', async (t) => {
  const gateway = await freePort();
  const wormgate = await startWormgate(t, {
    sections: {
      Egress: [`Listen=127.0.0.1:${gateway}`, `AllowPorts=${worldPort}`, 'AllowPrivate=1'],
    },
  });
  assert.match(statusOf(wormgate), /^virus-like activity has not occurred$/m);
  for (const number of [1, 2, 3]) await visit(gateway, `127.2.0.${number}`);
  const beforeMs = performance.now();
  const stop = await letWormLoose(gateway);
  let visits = 0;
  while (performance.now() - beforeMs < 4_000) {
    await visit(gateway, `127.2.0.${(visits++ % 3) + 1}`);
  }
  const during = statusOf(wormgate, '--source', infected);
  assert.match(during, /^virus-like activity is currently occurring$/m);
  assert.equal(figure(during, 'maximum packets on queue'), 200);
  assert.equal(figure(during, 'times virus-like activity detected'), 1);
  assert.ok(figure(during, 'packets dropped due to queue overflow') >= 780);
  stop();
  await until(
    () => figure(statusOf(wormgate, '--source', infected), 'currently queued packets') === 0,
  );
  const seconds = (performance.now() - beforeMs) / 1_000;
  const wormHosts = [...reached].filter((host) => host.startsWith('127.1.'));
  assert.ok(wormHosts.length >= 3, `${wormHosts.length} hosts were reached`);
  assert.ok(wormHosts.length <= seconds + 1, `${wormHosts.length} hosts in ${seconds} s`);
  const beside = statusOf(wormgate, '--source', neighbour);
  assert.match(beside, /^virus-like activity has not occurred$/m);
  assert.equal(figure(beside, 'packets placed on queue'), 3);
  assert.equal(figure(beside, 'packets passed without delay'), visits);
  assert.equal(figure(beside, 'packets dropped due to queue overflow'), 0);
  assert.match(statusOf(wormgate), /^virus-like activity has occurred in the past$/m);
  assert.equal(figure(statusOf(wormgate), 'connection establishing packets'), 1_003 + visits);

  await wormgate.stop();
  const log = wormgate.throttleLog();
  const tags = Array.from(
    log.matchAll(/^\[(\w+)\] \[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \S+ \d{4}\]/gm),
  );
  assert.deepEqual(
    tags.map(([, tag]) => tag),
    ['INFO', 'ALERT_VLA_DETECTED', 'DROPPING_CONNECTIONS', 'ALERT_VLA_STOPPED', 'INFO'],
  );
  assert.match(log, /ALERT_VLA_DETECTED\] \[[^\]]+\] source 127\.0\.0\.50: 160 connection/);
  await watchWithSwatch(t, wormgate);
  await banWithFail2ban(t, wormgate);
});

async function watchWithSwatch(t: TestContext, wormgate: Wormgate) {
  if (isMissing(t, 'swatchdog')) return;
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-swatch-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, 'hp-vt.log');
  copyFileSync(join(wormgate.dataFolder, 'hp-vt.log'), copy);
  const { stdout } = await run(
    programPath('swatchdog'),
    [
      `--config-file=${projectPath('config/swatch.conf')}`,
      `--examine=${copy}`,
      `--script-dir=${folder}`,
    ],
    { env: { PATH: process.env.PATH, HOME: folder }, timeout: 20_000 },
  );
  const told = stdout.replaceAll('\x07', '(bell)').replaceAll('\x1b[', '(colour)');
  // Three bells, and red, blinking and reversed, as the paper's own file has it.
  assert.ok(told.includes('(bell)(bell)(bell)(colour)31;5;7m[ALERT_VLA_DETECTED]'), told);
  assert.ok(told.includes('(bell)(colour)34m[DROPPING_CONNECTIONS]'), told);
  assert.ok(told.includes('(bell)(colour)32m[ALERT_VLA_STOPPED]'), told);
}

async function banWithFail2ban(t: TestContext, wormgate: Wormgate) {
  if (isMissing(t, 'fail2ban-regex')) return;
  const { stdout } = await run(
    programPath('fail2ban-regex'),
    [
      ...['--out', 'id'],
      join(wormgate.dataFolder, 'hp-vt.log'),
      projectPath('config/fail2ban/wormgate-throttle.conf'),
    ],
    { timeout: 20_000 },
  );
  assert.equal(stdout.trim(), infected);
}

/** Whether a part is missing, which is told. */
function isMissing(t: TestContext, part: 'swatchdog' | 'fail2ban-regex'): boolean {
  const reason = skipWithout(part);
  if (reason !== false) t.diagnostic(`not looked at with ${part}: ${reason}`);
  return reason !== false;
}
