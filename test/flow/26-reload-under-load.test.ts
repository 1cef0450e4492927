/** SIGHUP while wrk and h2load run: patterns, sites, origins, cache and certificates change, no request fails. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { makeCertificate } from '../support/certificate.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { startOrigin } from '../support/origin.ts';
import { type Part, programPath, skipWithout } from '../support/parts.ts';
import { askRaw } from '../support/raw.ts';
import { listens, patternSection } from '../support/reload.ts';
import { startTlsWormgate } from '../support/tls-wormgate.ts';
import { freePort, until, type Wormgate, type WormgateOptions } from '../support/wormgate.ts';

const origins = await Promise.all(
  ['first', 'second'].map((name) =>
    startOrigin({ after }, (_request, answer) => answer.end(`${name}\n`)),
  ),
);
const [first = '', second = ''] = origins.map(({ url }) => url);

const loadSeconds = 3;
const roundsMax = 100;

/** Runs a load to its end; gives what it says. */
function load(cleanup: Cleanup, part: Part, args: readonly string[]): Promise<string> {
  const child = spawn(programPath(part), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  cleanup.after(() => child.kill('SIGKILL'));
  return new Promise((resolve) => child.once('close', () => resolve(output)));
}

/** What identifies the certificate that new connections are shown. */
async function shownOn(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** A reload that must be taken over; the watch over certificates may have its say as well. */
async function reloadAll(wormgate: Wormgate, options: WormgateOptions): Promise<void> {
  const taken = () => wormgate.stderr.split('PROXY.CFG was read again and is in force\n').length;
  const before = taken();
  wormgate.configure(options);
  wormgate.signal('SIGHUP');
  await until(
    () => taken() > before,
    10_000,
    () => wormgate.stderr,
  );
}

function renewCertificate(folder: string): void {
  makeCertificate(folder, ['site.test'], { file: 'next' });
  for (const ending of ['crt', 'key']) {
    renameSync(join(folder, `next.${ending}`), join(folder, `site.${ending}`));
  }
}

test('reloads of everything at once fail no request of wrk and h2load', {
  skip: skipWithout('openssl', 'h2load', 'wrk'),
}, async (t) => {
  const extraPort = await freePort();
  const { wormgate, tlsPort, options } = await startTlsWormgate(t, { origin: first });
  const even = (round: number): WormgateOptions => ({
    ...options,
    origin: `${second}, ${first}`,
    accelerator: [...(options.accelerator ?? []), 'Cache=1', 'Balance=leastconn'],
    sections: {
      ...patternSection([`p${round}.ida HTTP/1.1`]),
      'Accelerator extra': [`Listen=127.0.0.1:${extraPort}`, `Origin=${second}`],
    },
  });
  const odd = (round: number): WormgateOptions => ({
    ...options,
    origin: round % 4 === 1 ? first : second,
    sections: patternSection([`p${round}.ida HTTP/1.1`]),
  });
  const tlsUrl = `https://127.0.0.1:${tlsPort}/page`;
  const wrk = ['-t1', '-c16', `-d${loadSeconds}s`];
  let isLoaded = true;
  const loads = Promise.all([
    load(t, 'wrk', [...wrk, `http://127.0.0.1:${wormgate.port}/page`]),
    load(t, 'wrk', [...wrk, tlsUrl]),
    load(t, 'h2load', ['-n', '4000', '-c', '8', '-m', '10', tlsUrl]),
  ]).finally(() => {
    isLoaded = false;
  });
  let shown = await shownOn(tlsPort);
  let rounds = 0;
  while (isLoaded && rounds < roundsMax) {
    renewCertificate(wormgate.folder);
    const isEven = rounds % 2 === 0;
    await reloadAll(wormgate, isEven ? even(rounds) : odd(rounds));
    const now = await shownOn(tlsPort);
    assert.notEqual(now, shown);
    shown = now;
    const blocked = await askRaw(wormgate.port, `GET /p${rounds}.ida HTTP/1.1`);
    assert.equal(blocked.text, '', 'slipped');
    assert.equal(await listens(extraPort), isEven);
    rounds += 1;
  }
  const [plain = '', encrypted = '', http2 = ''] = await loads;
  assert.ok(rounds >= 4, `${rounds} reloads`);
  for (const output of [plain, encrypted]) {
    assert.match(output, /\d\d+ requests in/);
    assert.doesNotMatch(output, /Socket errors|Non-2xx/);
  }
  assert.match(http2, /4000 succeeded, 0 failed, 0 errored, 0 timeout/);
  assert.equal(await wormgate.counter('origin_aborts'), 0);
});
