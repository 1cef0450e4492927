/**
 * The paper, "Overview", "Command Line-Based Configuration" and "Adding and Deleting Virus Request
 * Patterns": the examples as printed, and what they do to requests. A title quotes the sentence.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { isSlipped, sendRaw, statusOf } from '../support/raw.ts';
import type { Wormgate } from '../support/wormgate.ts';
import {
  addExample,
  ask,
  carryOut,
  codeRed,
  delExample,
  enter,
  onScreen,
  scanLine,
  startFromText,
} from './paper.ts';

const humble = '/default.ida?MMMM HTTP/1.0';

/** One server for all tests, which clear it, since starting one takes longer than a test. */
const shared = startFromText({ after }, scanLine);

async function cleared(): Promise<Wormgate> {
  const wormgate = await shared;
  await carryOut(wormgate, 'virus -c');
  return wormgate;
}

test('"virus add -p "default.ida?NNNN" -o 385": the request is blocked from then on', async () => {
  const wormgate = await cleared();
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404, 'humble before');
  const { code, stdout } = wormgate.virus('add', '-p', '"default.ida?NNNN"', '-o', '385');
  assert.deepEqual([code, stdout], [0, 'Added "default.ida?NNNN", original length 385.\n']);
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
});

test('"virus del -p "default.ida?NNNN" -o 385": the request is forwarded again', async () => {
  const wormgate = await cleared();
  await carryOut(wormgate, addExample);
  const { code, stdout } = wormgate.virus('del', '-p', '"default.ida?NNNN"', '-o', '385');
  assert.deepEqual([code, stdout], [0, 'Deleted "default.ida?NNNN", original length 385.\n']);
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404);
});

test('"blocks any request that perfectly matches one of the patterns in the database", and no other', async () => {
  const wormgate = await cleared();
  await carryOut(wormgate, addExample);
  const others = [
    humble,
    '/Default.ida?NNNN HTTP/1.0',
    '/default.ida?NNN HTTP/1.0',
    '/default.ida HTTP/1.0',
    '/xdefault.ida?NNNN HTTP/1.0',
    '/?default.ida?NNNN HTTP/1.0',
  ];
  for (const other of others) assert.notEqual(statusOf(await ask(wormgate, other)), 0, other);
  assert.ok(isSlipped(await ask(wormgate, '/default.ida?NNNN HTTP/1.0')));
  assert.ok(isSlipped(await ask(wormgate, '/default.ida?NNNNx HTTP/1.1')), 'whatever follows');
});

test('"compares every incoming request with the existing pattern database"', async () => {
  const wormgate = await cleared();
  await carryOut(wormgate, addExample);
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    assert.ok(isSlipped(await ask(wormgate, codeRed, { method })), method);
  }
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: eA=='];
  assert.ok(isSlipped(await ask(wormgate, codeRed, { headers: upgrade })), 'an upgrade');
  const first = 'GET /hello.txt HTTP/1.1\r\nHost: site.test\r\n\r\n';
  const pipelined = await sendRaw(wormgate.port, [`${first}GET ${codeRed}\r\n\r\n`]);
  assert.equal(statusOf(pipelined), 200, 'the first of two on a connection');
  assert.equal(pipelined.text.split('HTTP/1.1 ').length, 2, 'the second has no answer');
  assert.ok(pipelined.closed);
});

test('"looks at the specified offset in each incoming request and reads the next 16 bytes"', async () => {
  const wormgate = await cleared();
  await carryOut(wormgate, 'virus add -p "0123456789abcdef" -o 25');
  assert.ok(isSlipped(await ask(wormgate, '/0123456789abcdef HTTP/1.0')));
  assert.ok(isSlipped(await ask(wormgate, '/0123456789abcdefghi HTTP/1.0')), 'byte 17 is not read');
  assert.equal(statusOf(await ask(wormgate, '/0123456789abcdeX HTTP/1.0')), 404, 'byte 16 is');
  assert.equal(statusOf(await ask(wormgate, '/X123456789abcdef HTTP/1.0')), 404, 'byte 1 is');
});

test('"where pattern is a 16-byte character string": a longer one is refused', async () => {
  const wormgate = await cleared();
  const { ok, text } = await enter(wormgate, 'virus add -p "default.ida?NNNNN" -o 385');
  assert.deepEqual([ok, text], [false, 'The pattern has 17 bytes; PatternSize allows 16.']);
});

test('"These are mandatory option-value pairs"', async () => {
  const wormgate = await cleared();
  for (const verb of ['add', 'del']) {
    for (const rest of ['-p "default.ida?NNNN"', '-o 385', '-p -o', '-p "default.ida?NNNN" -o']) {
      const { ok, text } = await enter(wormgate, `virus ${verb} ${rest}`);
      assert.ok(!ok, rest);
      assert.match(text, /Syntax: virus (add|del) -p "PATTERN" -o ORIGLENGTH/, rest);
    }
  }
  assert.equal(await onScreen(wormgate, 'No Of Patterns'), '0');
});

test('"the value for origLength is given as an integer"', async () => {
  const wormgate = await cleared();
  for (const value of ['many', '3.5', '0', '0385', '"385"']) {
    const { ok } = await enter(wormgate, `virus add -p "default.ida?NNNN" -o ${value}`);
    assert.ok(!ok, value);
  }
});

test('"option = [-/][a-zA-Z?]": an option may begin with a slash', async () => {
  const wormgate = await cleared();
  await carryOut(wormgate, 'virus add /p "default.ida?NNNN" /o 385');
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
});

test('"To allow the pattern database to be updated "on the fly", without having to bring down the Proxy Server"', async () => {
  const wormgate = await cleared();
  const options = { port: wormgate.port, host: '127.0.0.1', method: 'POST', path: '/echo' };
  const upload = request(options);
  const answered = once(upload, 'response');
  upload.write('sent before, ');
  const { pid } = wormgate;
  await carryOut(wormgate, addExample);
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
  await carryOut(wormgate, delExample);
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404);
  upload.end('sent after');
  const [answer]: IncomingMessage[] = await answered;
  assert.ok(answer !== undefined);
  assert.equal(await text(answer), 'sent before, sent after', 'a request under way goes on');
  assert.equal(wormgate.pid, pid);
  assert.equal(wormgate.stdout, 'wormgate ready\n', 'started once');
});

test('"responses to commands are written back to the system console and recorded in … PROXY.LOG"', async () => {
  const wormgate = await cleared();
  const added = wormgate.virus('add', '-p', 'recorded.ida?NNN', '-o', '77');
  assert.equal(added.stdout, 'Added "recorded.ida?NNN", original length 77.\n');
  const refused = wormgate.virus('add', '-p', 'recorded.ida?NNNtoolong', '-o', '77');
  assert.match(refused.stderr, /^The pattern has 23 bytes/);
  await wormgate.logLine(/^\[console\] virus add -p "recorded\.ida\?NNN" -o 77$/);
  await wormgate.logLine(/^\[console\] \[.+\] Added "recorded\.ida\?NNN", original length 77\.$/);
  await wormgate.logLine(/^\[console\] \[.+\] The pattern has 23 bytes/);
});
