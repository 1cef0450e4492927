/** Which interim answers a client is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpDate } from '../../../src/upstream/http-date.ts';
import { interimText } from '../../../src/upstream/interim.ts';

test('progress is passed on bare, hints with their lines, others not', () => {
  assert.equal(interimText(102, ['X', 'y']), 'HTTP/1.1 102 Processing\r\n\r\n');
  assert.equal(
    interimText(103, [
      'Link',
      '</a.css>; rel=preload',
      'Connection',
      'X-Own',
      'X-Own',
      '1',
      'X',
      'y',
    ]),
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX: y\r\n\r\n',
  );
  assert.equal(interimText(100, []), '');
  assert.equal(interimText(110, ['Link', '</a>']), '');
});

test('hints without a link, with one that is none, or with a length are not as they came', () => {
  assert.equal(interimText(103, ['X', 'y']), '');
  assert.equal(interimText(103, ['Link', 'nonsense']), '');
  assert.equal(interimText(103, ['Link', '</a>', 'Link', '"<b>"']), '');
  assert.equal(
    interimText(103, ['Link', '</a>, </b>', 'Content-Length', '5']),
    'HTTP/1.1 103 Early Hints\r\nLink: </a>, </b>\r\n\r\n',
  );
});

test('the date is that of the second, whichever was asked for before', () => {
  assert.equal(httpDate(Date.UTC(1994, 10, 15, 8, 12, 31) + 999), 'Tue, 15 Nov 1994 08:12:31 GMT');
  assert.equal(httpDate(Date.UTC(1994, 10, 15, 8, 12, 32)), 'Tue, 15 Nov 1994 08:12:32 GMT');
  assert.equal(httpDate(Date.UTC(1994, 10, 15, 8, 12, 31)), 'Tue, 15 Nov 1994 08:12:31 GMT');
});
