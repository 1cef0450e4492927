// Runs each program once, the server with a few requests, and leaves what V8 has compiled meanwhile beside
// it. `node code-cache.cjs PROGRAM`: one of dist/bin, within this process.
'use strict';
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { tmpdir } = require('node:os');
const { basename, join } = require('node:path');

const program = process.argv[2];
const attemptsMax = 100;

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function run(args) {
  process.argv = [process.execPath, program, ...args];
  const { createCodeCache, filename } = require(program);
  process.on('exit', () => {
    writeFileSync(`${filename}.cache`, createCodeCache());
    process.exitCode = 0;
  });
}

/** One request that is served, and one that is blocked. */
async function askFor(port) {
  await fetch(`http://127.0.0.1:${port}/`);
  await fetch(`http://127.0.0.1:${port}/default.ida?NNNNNNNNNNNNNNNN`).catch(() => {});
}

async function runServer() {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-build-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const config = join(folder, 'PROXY.CFG');
  writeFileSync(
    config,
    `[Extra Configuration] ScanVirusPatterns=1
[Virus Pattern Configuration] NoOfVirusPatterns=1 Pattern1="default.ida?NNNN",385
[Accelerator demo] Listen=127.0.0.1:${port} Origin=demo
[Admin] Listen=
`,
  );
  run(['start', '--config', config, '--data', join(folder, 'data')]);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      await askFor(port);
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  process.kill(process.pid, 'SIGTERM');
}

if (basename(program) === 'wormgate.cjs') void runServer();
// Which finds no server.
else run(['show', '--data', join(__dirname, 'nowhere')]);
