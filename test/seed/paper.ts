/**
 * What the seed tests share: the requests that the paper talks about, and how a test starts a server
 * from a PROXY.CFG of its own text, types commands, reads the screen and asks for a page.
 */
import { writeFileSync } from 'node:fs';
import { connectConsole } from '../../src/admin/console-client.ts';
import type { Reply } from '../../src/admin/reply.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { askRaw, type RawAnswer } from '../support/raw.ts';
import { readWormRequests, wormRequestString } from '../support/requests-data.ts';
import { makeWormgate, type Wormgate } from '../support/wormgate.ts';

/** Code Red's request string as the worm sends it: two blanks, HTTP/1.0, 385 bytes. */
export const codeRed = requestStringOf('code-red-v1/v2');

/** Code Red II's, the `XXXX` one of the paper's examples. */
export const codeRedTwo = requestStringOf('code-red-II');

/** The lines that the paper says are needed, on one line, as it prints them. */
export const printedLines =
  '[Extra Configuration] ScanVirusPatterns=1 [Virus Pattern Configuration] NoOfVirusPatterns=0 ' +
  'PatternSize=16 PatternStartOffset=1 EnablePatternAutoUpdate=1';

/** The one line without which nothing is scanned. */
export const scanLine = '[Extra Configuration] ScanVirusPatterns=1';

/** The paper's two examples, as typed on the console. */
export const addExample = 'virus add -p "default.ida?NNNN" -o 385';
export const delExample = 'virus del -p "default.ida?NNNN" -o 385';

function requestStringOf(name: string): string {
  const request = readWormRequests().find((each) => each.name === name);
  if (request === undefined) throw new Error(`requests.tsv has no ${name}`);
  return wormRequestString(request, 'HTTP/1.0');
}

/** A server that is started from `text` in place of a whole PROXY.CFG; the accelerator is added. */
export async function startFromText(test: Cleanup, text: string): Promise<Wormgate> {
  const wormgate = await makeWormgate(test);
  writeText(wormgate, text);
  await wormgate.start();
  return wormgate;
}

/** Puts `text` and the accelerator's section in place of the server's PROXY.CFG. */
export function writeText(wormgate: Wormgate, text: string): void {
  const accelerator = `[Accelerator site]\nListen=127.0.0.1:${wormgate.port}\nOrigin=demo\n`;
  const admin = `[Admin]\nListen=127.0.0.1:${wormgate.adminPort}\n`;
  // The paper blocks requests, not who sends them.
  const sources = '[Virus Sources] SourceBlocking=0\n';
  writeFileSync(wormgate.configFile, `${text}\n${accelerator}${admin}${sources}`, 'latin1');
}

/** Asks for `requestString` (target, blanks, version) and takes what comes until the close. */
export function ask(
  wormgate: Wormgate,
  requestString: string,
  { method = 'GET', headers = [] as readonly string[] } = {},
): Promise<RawAnswer> {
  const headerLines = headers.map((line) => `${line}\r\n`).join('');
  return askRaw(wormgate.port, `${method} ${requestString}`, headerLines);
}

/** Types a command on the console: the reply, and whether it was carried out. */
export async function enter(wormgate: Wormgate, command: string): Promise<Reply> {
  const connection = await connectConsole(wormgate.dataFolder);
  if (!connection.ok) throw new Error(connection.message);
  const answer = await connection.client.send([command], 'console');
  connection.client.close();
  const reply = answer.ok ? answer.replies[0] : undefined;
  if (reply === undefined) throw new Error(`no reply to ${command}`);
  return reply;
}

/** Types a command that has to succeed. */
export async function carryOut(wormgate: Wormgate, command: string): Promise<void> {
  const { ok, text } = await enter(wormgate, command);
  if (!ok) throw new Error(`${command}: ${text}`);
}

/** The value behind a label of the Virus Pattern Configuration screen. */
export async function onScreen(wormgate: Wormgate, label: string): Promise<string> {
  const { text } = await enter(wormgate, 'virus show');
  const line = text.split('\n').find((each) => each.startsWith(`${label}: `));
  if (line === undefined) throw new Error(`the screen has no ${label}:\n${text}`);
  return line.slice(label.length + 2);
}
