/**
 * The log of site-a as live traffic: each of its lines is sent, in the order of the log, by a trusted peer
 * that names the client, to an origin that answers as the log says. The server's date is turned to each
 * line's time, so that blocks last and end as they would have; its timers, and the thread that looks for
 * keywords, run in the test's own time. What is blocked is what the origin did not get to see.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { scoreSiteA } from '../support/labels.ts';
import { startOrigin } from '../support/origin.ts';
import { projectPath } from '../support/paths.ts';
import { sendRaw } from '../support/raw.ts';
import { type LoggedLine, readLoggedLines } from '../support/requests-data.ts';
import { keywordFile } from '../support/shipped-keywords.ts';
import { shippedPatternFiles } from '../support/shipped-patterns.ts';
import { dateSocketVariable, TurnedDate } from '../support/turned-date.ts';
import { makeWormgate, until } from '../support/wormgate.ts';

const files = [...shippedPatternFiles, keywordFile].map((file) => projectPath(file));

/** The head that a proxy in front sends on; a line without a request becomes bytes that are none. */
function headOf({ line, client, requestLine, status, referer }: LoggedLine): string {
  const fields = [
    ...['Host: saunathinker.com', `X-Forwarded-For: ${client}`],
    ...(referer === '-' ? [] : [`Referer: ${referer}`]),
    ...[`X-Line: ${line}`, `X-Status: ${status}`],
    ...(requestLine.startsWith('POST') ? ['Content-Length: 0'] : []),
    'Connection: close',
  ];
  return `${requestLine}\r\n${fields.join('\r\n')}\r\n\r\n`;
}

test('site-a as live traffic: attacks and probes are blocked, and no line of a clean source', async (t) => {
  const reached = new Set<number>();
  const origin = await startOrigin(t, (request, response) => {
    reached.add(Number(request.headers['x-line']));
    response.statusCode = Number(request.headers['x-status']);
    response.end();
  });
  const wormgate = await makeWormgate(t, {
    origin: origin.url,
    accelerator: ['TrustedProxies=127.0.0.1'],
    sections: {
      'Virus Pattern Configuration': [
        `PatternFiles=${files.join(', ')}`,
        'EnablePatternAutoUpdate=1',
      ],
      'Virus Sources': ['SourceBlocking=1'],
    },
  });
  const socketPath = join(wormgate.folder, 'date.sock');
  const preload = pathToFileURL(join(import.meta.dirname, '..', 'support', 'turned-date.js'));
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `${before ?? ''} --import=${preload.href}`;
  process.env[dateSocketVariable] = socketPath;
  t.after(() => {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
    delete process.env[dateSocketVariable];
  });
  await wormgate.start();
  const date = await TurnedDate.connect(socketPath);
  t.after(() => date.close());

  for (const logged of readLoggedLines('site-a')) {
    await date.turnTo(logged.atMs);
    await sendRaw(wormgate.port, [headOf(logged)]);
  }

  const { lines, blocked, cleanBlocked } = scoreSiteA((line) => !reached.has(line));
  t.diagnostic(`blocked ${JSON.stringify(blocked)} of ${JSON.stringify(lines)}`);
  assert.deepEqual(cleanBlocked, []);
  assert.ok(blocked.attack >= 0.97 * lines.attack, `${blocked.attack} of ${lines.attack} attacks`);
  assert.ok(blocked.probe >= 0.7 * lines.probe, `${blocked.probe} of ${lines.probe} probes`);
  assert.equal(await wormgate.counter('sources_blocked'), 2);
  await until(() => / reason=source /.test(wormgate.log()));
});
