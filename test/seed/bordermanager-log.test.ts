/**
 * The paper, "Verifying the Blocking of Virus Requests" and "Example: Identifying and Adding a New
 * Virus Pattern": the lines of PROXY.LOG, and how a new pattern is read off one. A title quotes the
 * sentence it tests.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSlipped, sendRaw, statusOf } from '../support/raw.ts';
import { startWormgate } from '../support/wormgate.ts';
import { addExample, ask, carryOut, codeRed, codeRedTwo, onScreen } from './paper.ts';

const start = String.raw`^127\.0\.0\.1 - - \[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\] `;

function quoted(line: string): string {
  return line.slice(line.indexOf('"') + 1, line.indexOf('" '));
}

test('"check the PROXY.LOG file … for drop or slip": "an example of a slipped request" ends in - -', async (t) => {
  const wormgate = await startWormgate(t);
  await carryOut(wormgate, 'virus add -p "default.ida?XXXX" -o 385');
  assert.ok(isSlipped(await ask(wormgate, codeRedTwo)));
  const line = await wormgate.logLine(/"GET .*" - - /);
  assert.equal(quoted(line), `GET ${codeRedTwo}`);
  const end = '" - - pattern="default\\.ida\\?XXXX" from=console id=\\S+$';
  assert.match(line, new RegExp(`${start}"GET /default\\.ida\\?X{224}%u9090.*HTTP/1\\.0${end}`));
});

test('"an example of a dropped request" begins with (bad request line) and ends in 400 and a size', async (t) => {
  const wormgate = await startWormgate(t);
  const answer = await sendRaw(wormgate.port, [`GET\0${codeRedTwo}\r\n\r\n`]);
  assert.equal(statusOf(answer), 400);
  assert.ok(answer.closed);
  const line = await wormgate.logLine(/bad request line/);
  const body = answer.text.slice(answer.text.indexOf('\r\n\r\n') + 4);
  const request = '"\\(bad request line\\) GET%00/default\\.ida\\?X{224}.* \\(truncated\\)"';
  assert.match(line, new RegExp(`${start}${request} 400 ${body.length} id=\\S+$`));
});

test('a virus request is dropped where PROXY.CFG says so: its line ends in 400, a size and the reason', async (t) => {
  const sections = { 'Virus Pattern Configuration': ['VirusAction=drop'] };
  const wormgate = await startWormgate(t, { sections });
  await carryOut(wormgate, addExample);
  const answer = await ask(wormgate, codeRed);
  assert.equal(statusOf(answer), 400);
  assert.ok(answer.closed);
  const line = await wormgate.logLine(/default\.ida\?N{224}/);
  const id = /^x-request-id: (\S+)/im.exec(answer.text)?.[1];
  assert.equal(quoted(line), `GET ${codeRed}`);
  assert.match(line, /" 400 \d+ pattern="default\.ida\?NNNN" from=console id=\S+$/);
  assert.ok(line.endsWith(` id=${id}`), 'the id that the client was told');
});

test('"a step-by-step example of how to identify and add a new virus pattern": from the line in PROXY.LOG to the blocked request', async (t) => {
  const wormgate = await startWormgate(t);
  assert.equal(statusOf(await ask(wormgate, codeRed)), 404);
  const line = await wormgate.logLine(/default\.ida/);
  assert.match(line, new RegExp(`${start}"GET .+ HTTP/1\\.0" 404 \\d+$`));

  // "Isolate the portion … within the quotation marks …. Then strip out the word "GET" and the space".
  const isolated = quoted(line);
  assert.ok(isolated.startsWith('GET '));
  const text = isolated.slice('GET '.length);
  // "Note the length of this string …. In this example, it is 385."
  assert.equal(text.length, 385);
  // "The Pattern Start Offset value …. In this case it is 1." "The Pattern Size …. it is 16."
  const offset = Number(await onScreen(wormgate, 'Pattern Start Offset'));
  const size = Number(await onScreen(wormgate, 'Pattern Size'));
  assert.deepEqual([offset, size], [1, 16]);
  // "So the pattern for this virus request is … the 16-byte string that starts at offset 1".
  const pattern = text.slice(offset, offset + size);
  assert.equal(pattern, 'default.ida?NNNN');
  // "To block this as a virus request, type the following command at the console".
  await carryOut(wormgate, `virus add -p "${pattern}" -o ${text.length}`);
  assert.ok(isSlipped(await ask(wormgate, codeRed)));
});
