/**
 * The built-in demonstration site, `Origin=demo`: an ordinary origin on a loopback port of its own, so
 * that a newcomer sees requests forwarded and blocked before there is a web server to protect.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HostPort } from '../config/shape.ts';

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>wormgate demonstration site</title>
<style>
  body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem;
         color: #1d2733; background: #f7f8fa }
  pre { background: #1d2733; color: #e6edf3; padding: .8rem 1rem; border-radius: .4rem; overflow-x: auto }
  code { font-size: .92em } h2 { margin-top: 2.2rem }
  @media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #12171d } }
</style>
<h1>It works: this page came through wormgate</h1>
<p>You are looking at the built-in demonstration site. Your request matched no virus pattern, so it was
forwarded here. Now be a worm:</p>
<h2>1. Send a request that worms send</h2>
<pre>curl -i "http://127.0.0.1:8080/scripts/root.exe?/c+dir"</pre>
<p>curl says <i>Empty reply from server</i>: the request was slipped, its connection closed with no answer.
PROXY.LOG in the data folder tells which pattern it matched and where that pattern came from.</p>
<h2>2. Block something of your own</h2>
<pre>curl -i http://127.0.0.1:8080/hello.txt
npx wormgate virus add -p "hello.txt HTTP/1" -o 19
curl -i http://127.0.0.1:8080/hello.txt
npx wormgate virus del -p "hello.txt HTTP/1" -o 19</pre>
<p>The first request is answered, the second is blocked, and the pattern is gone again. A pattern is 16
bytes of the request line, from the second byte of the address on.</p>
<h2>3. Look around</h2>
<pre>npx wormgate virus show      # the Virus Pattern Configuration screen
npx wormgate virus list      # every pattern, and where it came from
npx wormgate console         # the same, live: enter 23</pre>
<h2>4. Protect a server of yours</h2>
<p>In config/PROXY.CFG replace <code>Origin=demo</code> with its address, for example
<code>Origin=http://127.0.0.1:3000</code>, and start again or send SIGHUP.</p>
<p>Also here: <a href="/hello.txt">/hello.txt</a>, and <code>/echo</code>, which answers with what you POST.</p>
</html>
`;

function serve(req: IncomingMessage, res: ServerResponse): void {
  const path = (req.url ?? '/').split('?', 1)[0];
  if (path === '/echo') {
    res.writeHead(200, { 'Content-Type': req.headers['content-type'] ?? 'text/plain' });
    req.pipe(res);
    return;
  }
  req.resume();
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': '0' }).end();
  } else if (path === '/' || path === '/index.html') {
    respond(req, res, 200, 'text/html; charset=utf-8', page);
  } else if (path === '/hello.txt') {
    respond(req, res, 200, 'text/plain; charset=utf-8', 'Hello from the demonstration site.\n');
  } else if (path === '/robots.txt') {
    respond(req, res, 200, 'text/plain; charset=utf-8', 'User-agent: *\nAllow: /\n');
  } else {
    respond(
      req,
      res,
      404,
      'text/plain; charset=utf-8',
      'The demonstration site has no such page.\n',
    );
  }
}

function respond(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  type: string,
  body: string,
): void {
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** A demonstration site that is running, and where. */
export interface DemoSite {
  readonly address: HostPort;
  close(): Promise<void>;
}

/** Starts the site on a free loopback port; rejects when there is none. */
export async function startDemoSite(): Promise<DemoSite> {
  const server: Server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Of this process alone, whatever else shares its listeners.
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, resolve);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port for the demo site');
  return {
    address: { host: '127.0.0.1', port: bound.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
