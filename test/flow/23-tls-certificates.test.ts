/** New certificates while the server runs: by SIGHUP, by a changed file, and broken ones. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { makeCertificate } from '../support/certificate.ts';
import { H2Client } from '../support/h2-client.ts';
import { skipWithout } from '../support/parts.ts';
import { RawClient } from '../support/raw-client.ts';
import { refused, reload, taken } from '../support/reload.ts';
import { startTlsWormgate, type TlsWormgate } from '../support/tls-wormgate.ts';
import { until } from '../support/wormgate.ts';

const skip = skipWithout('openssl');

/** What identifies the certificate that new connections are shown now. */
async function shown(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** Replaces the files of `site`, one after the other, as tools do. */
function renew({ wormgate }: TlsWormgate): void {
  makeCertificate(wormgate.folder, ['site.test'], { file: 'next' });
  for (const ending of ['crt', 'key']) {
    renameSync(join(wormgate.folder, `next.${ending}`), join(wormgate.folder, `site.${ending}`));
  }
}

async function untilChanged(port: number, before: string): Promise<string> {
  let now = before;
  await until(async () => {
    now = await shown(port);
    return now !== before;
  });
  return now;
}

const request = 'GET /hello.txt HTTP/1.1\r\nHost: site.test\r\n\r\n';

test('changed files are taken over by themselves, and connections stay', { skip }, async (t) => {
  const server = await startTlsWormgate(t);
  const { wormgate, tlsPort } = server;
  const before = await shown(tlsPort);
  const plain = await RawClient.connectTls(tlsPort);
  await plain.ask(request);
  const multiplexed = await H2Client.connect(t, tlsPort);
  renew(server);
  await untilChanged(tlsPort, before);
  assert.match(wormgate.stderr, /certificates were read again and are in force\n/);
  assert.ok((await wormgate.counter('tls_certificates_reloaded')) >= 1);
  assert.equal((await plain.ask(request)).status, 200);
  assert.equal((await multiplexed.ask({ ':path': '/hello.txt' })).status, 200);
  plain.destroy();
});

test('SIGHUP takes them over as well', { skip }, async (t) => {
  const server = await startTlsWormgate(t);
  const before = await shown(server.tlsPort);
  renew(server);
  // The change may have been noticed before the signal was.
  assert.match(await reload(server.wormgate), /was read again and is in force\n$/);
  assert.notEqual(await shown(server.tlsPort), before);
});

test('links that lead to another folder are followed', { skip }, async (t) => {
  const { wormgate, tlsPort, options } = await startTlsWormgate(t);
  for (const folder of ['old', 'new', 'live']) mkdirSync(join(wormgate.folder, folder));
  makeCertificate(join(wormgate.folder, 'old'), ['site.test'], { file: 'site' });
  makeCertificate(join(wormgate.folder, 'new'), ['site.test'], { file: 'site' });
  for (const ending of ['crt', 'key']) {
    symlinkSync(`../old/site.${ending}`, join(wormgate.folder, 'live', `site.${ending}`));
  }
  const accelerator = (options.accelerator ?? []).map((line) =>
    line.replace('=site.', '=live/site.'),
  );
  await taken(wormgate, { ...options, accelerator });
  const before = await shown(tlsPort);
  for (const ending of ['crt', 'key']) {
    symlinkSync(`../new/site.${ending}`, join(wormgate.folder, 'live', `next.${ending}`));
    renameSync(
      join(wormgate.folder, 'live', `next.${ending}`),
      join(wormgate.folder, 'live', `site.${ending}`),
    );
  }
  await untilChanged(tlsPort, before);
});

test('files that cannot be used are refused, and the old certificate stays', {
  skip,
}, async (t) => {
  const server = await startTlsWormgate(t);
  const { wormgate, tlsPort } = server;
  const before = await shown(tlsPort);
  writeFileSync(join(wormgate.folder, 'site.crt'), 'half of a fi');
  await until(() => /was not taken over; the old one stays: .*site\.crt/.test(wormgate.stderr));
  assert.equal(await shown(tlsPort), before);
  assert.equal(await wormgate.counter('tls_certificates_refused'), 1);
  const [sentence] = await refused(wormgate);
  assert.match(sentence ?? '', /Certificate: .*site\.crt. holds no certificate in PEM$/);
  assert.equal(await shown(tlsPort), before);
  makeCertificate(wormgate.folder, ['site.test'], { file: 'other' });
  copyFileSync(join(wormgate.folder, 'other.crt'), join(wormgate.folder, 'site.crt'));
  await until(() => /the old one stays: .*site\.key. is not the key of/.test(wormgate.stderr));
  assert.equal(await shown(tlsPort), before);
  copyFileSync(join(wormgate.folder, 'other.key'), join(wormgate.folder, 'site.key'));
  await untilChanged(tlsPort, before);
});
