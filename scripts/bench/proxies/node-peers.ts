/**
 * The two peers that are written for Node.js, as programs: `node node-peers.js NAME PORT ORIGIN-PORT
 * [LOG-FILE]`, NAME being `http-proxy` or `fastify`. Both keep their connections to the origin.
 */
import { createWriteStream } from 'node:fs';
import { Agent, createServer } from 'node:http';
import fastifyHttpProxy from '@fastify/http-proxy';
import { fastify } from 'fastify';
import { createProxyServer } from 'http-proxy';

const connectionsMax = 256;

/** As the library's documentation shows it, and a line a request when a log file is given. */
function startHttpProxy(port: number, originPort: number, logFile: string | undefined): void {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  const proxy = createProxyServer({
    target: `http://127.0.0.1:${originPort}`,
    agent,
    xfwd: true,
  });
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  const server = createServer((req, res) => {
    if (log !== undefined) {
      res.on('finish', () => {
        const { remoteAddress } = req.socket;
        const date = new Date().toISOString();
        log.write(`${remoteAddress} [${date}] "${req.method} ${req.url}" ${res.statusCode}\n`);
      });
    }
    void proxy.web(req, res).catch(() => res.destroy());
  });
  server.listen(port, '127.0.0.1', 4096);
}

/** With Fastify's own logger when a log file is given. */
async function startFastify(
  port: number,
  originPort: number,
  logFile: string | undefined,
): Promise<void> {
  const app = fastify({ logger: logFile === undefined ? false : { file: logFile } });
  await app.register(fastifyHttpProxy, {
    upstream: `http://127.0.0.1:${originPort}`,
    undici: { connections: connectionsMax, pipelining: 1 },
  });
  await app.listen({ port, host: '127.0.0.1', backlog: 4096 });
}

const [name, port, originPort, logFile] = process.argv.slice(2);
process.on('SIGTERM', () => process.exit(0));
if (name === 'http-proxy') startHttpProxy(Number(port), Number(originPort), logFile);
else await startFastify(Number(port), Number(originPort), logFile);
