import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCertificate } from '../../../src/config/certificate.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { programPath, skipWithout } from '../../support/parts.ts';

const skip = skipWithout('openssl');
const folder = mkdtempSync(join(tmpdir(), 'wormgate-certificate-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const dayMs = 86_400_000;

function read(name: string, nowMs = Date.now(), key = name) {
  const files = {
    certificateFile: join(folder, `${name}.crt`),
    keyFile: join(folder, `${key}.key`),
  };
  return readCertificate(files, readFileSync, nowMs);
}

test('names come from subjectAltName, in lower case, addresses left out', { skip }, () => {
  makeCertificate(folder, ['One.Test', '*.one.test', '127.0.0.1'], { file: 'names' });
  const { certificate, faults, warnings } = read('names');
  assert.deepEqual([faults, warnings], [[], []]);
  assert.deepEqual(certificate?.names, ['one.test', '*.one.test']);
  assert.equal(certificate?.keyType, 'ec');
});

test('without alternatives it is the common name', { skip }, () => {
  makeCertificate(folder, [], { file: 'common' });
  assert.deepEqual(read('common').certificate?.names, ['wormgate test']);
});

test('a certificate that has expired, or is not valid yet, is a warning', { skip }, () => {
  makeCertificate(folder, ['day.test'], { file: 'day', days: 1 });
  const expired = read('day', Date.now() + 2 * dayMs);
  assert.ok(expired.certificate !== undefined);
  assert.match(expired.warnings[0]?.message ?? '', /day\.crt` expired on /);
  const early = read('day', Date.now() - 2 * dayMs);
  assert.match(early.warnings[0]?.message ?? '', /day\.crt` is not valid before /);
});

test('a key with a passphrase, and one that is too weak for TLS, are faults', { skip }, () => {
  const openssl = (...args: string[]) =>
    assert.equal(spawnSync(programPath('openssl'), args, { timeout: 20_000 }).status, 0);
  makeCertificate(folder, ['locked.test'], { file: 'locked' });
  const plain = join(folder, 'locked.key');
  const locked = join(folder, 'locked2.key');
  openssl('ec', '-in', plain, '-aes256', '-passout', 'pass:word', '-out', locked);
  assert.match(read('locked', Date.now(), 'locked2').faults[0]?.message ?? '', /by a passphrase/);
  const weak = [
    '-newkey',
    'rsa:512',
    '-nodes',
    '-subj',
    '/CN=a',
    '-keyout',
    join(folder, 'weak.key'),
  ];
  openssl('req', '-x509', ...weak, '-out', join(folder, 'weak.crt'));
  assert.match(read('weak').faults[0]?.message ?? '', /weak\.crt` cannot be used: .*too small/);
});

test('what is no PEM is no certificate and no key', { skip }, () => {
  for (const ending of ['crt', 'key']) writeFileSync(join(folder, `none.${ending}`), 'nothing');
  const { certificate, faults } = read('none');
  assert.equal(certificate, undefined);
  assert.deepEqual(
    faults.map(({ key }) => key),
    ['Certificate', 'CertificateKey'],
  );
});
