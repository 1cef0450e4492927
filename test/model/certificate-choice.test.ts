/** The choice of a certificate against a naive model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Certificate } from '../../src/config/shape.ts';
import { CertificateChoice } from '../../src/http/certificate-choice.ts';

const name = fc.constantFrom('a', 'b.a', '*.a', '*.b.a', 'c.b.a', '*.c', 'x.c');
const asked = fc.constantFrom('a', 'b.a', 'B.A', 'c.b.a', 'd.b.a', 'x.c', 'y.c', 'none', '', '.a');

const certificate: fc.Arbitrary<Certificate> = fc.record({
  certificateFile: fc.constant(''),
  keyFile: fc.constant(''),
  chain: fc.constant(Buffer.alloc(0)),
  key: fc.constant(Buffer.alloc(0)),
  keyType: fc.constantFrom('rsa', 'ec'),
  names: fc.uniqueArray(name, { maxLength: 3 }),
});

/** The first of each kind of key among those that have the name. */
function withName(all: readonly Certificate[], wanted: string): Certificate[] {
  const having = all.filter(({ names }) => names.includes(wanted));
  return having.filter(
    (each, index) => having.findIndex(({ keyType }) => keyType === each.keyType) === index,
  );
}

test('exact names, then wildcards for one label, then the first certificate', () => {
  fc.assert(
    fc.property(fc.array(certificate, { minLength: 1, maxLength: 6 }), asked, (all, written) => {
      const wanted = written.toLowerCase();
      const labels = wanted.split('.');
      const wild = labels[0] === '' || labels.length < 2 ? '' : `*.${labels.slice(1).join('.')}`;
      const first = all[0] as Certificate;
      const fallback = first.names[0] === undefined ? [first] : withName(all, first.names[0]);
      const expected = [withName(all, wanted), withName(all, wild), fallback].find(
        ({ length }) => length > 0,
      );
      const choice = new CertificateChoice(all);
      assert.deepEqual(choice.for(written), expected);
      assert.deepEqual(choice.first, fallback);
    }),
    { seed: 2001, numRuns: 3000 },
  );
});
