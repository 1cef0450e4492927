import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  OriginError,
  type OriginFaultCode,
  originFaultOf,
  originFaults,
} from '../../../src/upstream/faults.ts';

/** An error as node:net, node:tls and node:http throw them. */
function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test('the codes of system, TLS and parser have their rows', () => {
  const rows: Record<string, readonly string[]> = {
    origin_unreachable: [
      'ECONNREFUSED',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EHOSTDOWN',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EADDRNOTAVAIL',
      'EMFILE',
    ],
    origin_connect_timeout: ['ETIMEDOUT'],
    origin_garbage: [
      'HPE_INVALID_CONSTANT',
      'HPE_HEADER_OVERFLOW',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
    ],
    origin_tls: [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'EPROTO',
      'CERT_HAS_EXPIRED',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'HOSTNAME_MISMATCH',
    ],
    origin_closed: ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'SOMETHING_NEW', ''],
  };
  for (const [fault, codes] of Object.entries(rows)) {
    for (const code of codes) assert.equal(originFaultOf(systemError(code)), fault, code);
  }
});

test('whatever has no code counts as a connection that closed', () => {
  for (const error of [new Error('socket hang up'), 'text', undefined, null, { code: 'EPROTO' }]) {
    assert.equal(originFaultOf(error), 'origin_closed');
  }
});

test('an OriginError keeps its own row, whatever code it carries', () => {
  for (const fault of Object.keys(originFaults) as OriginFaultCode[]) {
    assert.equal(originFaultOf(new OriginError(fault)), fault);
    const coded = Object.assign(new OriginError(fault), { code: 'ECONNREFUSED' });
    assert.equal(originFaultOf(coded), fault);
  }
});

test('no row tells the client an address, a name or a code', () => {
  for (const { explanation } of Object.values(originFaults)) {
    assert.match(explanation, /^The web server behind this proxy [a-zA-Z ]+\.$/);
  }
});

test('what took too long is 504, what is too much 503, all the rest 502', () => {
  for (const [code, { status }] of Object.entries(originFaults)) {
    const expected = code.endsWith('timeout') ? 504 : code === 'origin_busy' ? 503 : 502;
    assert.equal(status, expected, code);
  }
});
