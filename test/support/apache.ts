/**
 * A real Apache of a test's own: Debian's apache2 with a configuration and a document root in a
 * temporary folder, on a free loopback port, gone when the test is over.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { programPath } from './parts.ts';
import { freePort, until } from './wormgate.ts';

const modules = ['mpm_event', 'authz_core', 'dir', 'mime', 'cgid', 'alias'] as const;

/** Answers with the body that it was sent; all of it first, since Apache reads no answer meanwhile. */
const echoScript = `#!/bin/sh
printf 'Content-Type: application/octet-stream\\r\\n\\r\\n'
file=$(mktemp) && cat >"$file" && cat "$file"
rm -f "$file"
`;

/** When the published files were last changed. */
const publishedAt = new Date('2015-05-17T10:05:00Z');

export class Apache {
  readonly folder: string;
  readonly port: number;
  #process: ChildProcess | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get documentRoot(): string {
    return join(this.folder, 'htdocs');
  }

  /** Runs it until `stop`, and waits until it accepts connections. */
  async start(): Promise<void> {
    this.#process = spawn(
      programPath('apache2'),
      ['-d', this.folder, '-f', join(this.folder, 'httpd.conf'), '-DFOREGROUND'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until(
      () => accepts(this.port),
      10_000,
      () => 'apache2 does not accept connections',
    );
  }

  /** Ends it at once, with whatever it is about to answer. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  /** Puts a file under the document root; returns false when the path is no file's. */
  publish(path: string, content: Buffer): boolean {
    const file = resolve(this.documentRoot, `.${path}`);
    if (!file.startsWith(`${this.documentRoot}/`) || path.endsWith('/')) return false;
    try {
      mkdirSync(dirname(file), { recursive: true });
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) return false;
      writeFileSync(file, content);
      // Apache gives a file of the last second a weak ETag, and a strong one later on.
      utimesSync(file, publishedAt, publishedAt);
      return true;
    } catch {
      // A folder's name is another file's, or too long.
      return false;
    }
  }

  configuration(): string {
    const isRoot = process.getuid?.() === 0;
    return `
ServerRoot "${this.folder}"
Listen 127.0.0.1:${this.port}
ServerName site-b.test
PidFile apache.pid
DefaultRuntimeDir "${this.folder}"
ErrorLog error.log
${isRoot ? 'User www-data\nGroup www-data' : ''}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
StartServers 1
ServerLimit 1
ThreadsPerChild 50
MaxRequestWorkers 50
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
ScriptSock cgid.sock
TypesConfig /dev/null
AddType text/html .html
DocumentRoot "${this.documentRoot}"
ScriptAlias /echo "${join(this.folder, 'echo.sh')}"
<Directory "${this.folder}">
  Require all granted
</Directory>
`;
  }
}

/** Starts Apache and waits until it accepts connections. */
export async function startApache(cleanup: Cleanup): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-apache-'));
  // Apache's workers run as another user.
  chmodSync(folder, 0o755);
  const apache = new Apache(folder, await freePort());
  mkdirSync(apache.documentRoot);
  const script = join(folder, 'echo.sh');
  writeFileSync(script, echoScript);
  chmodSync(script, 0o755);
  writeFileSync(join(folder, 'httpd.conf'), apache.configuration());
  cleanup.after(async () => {
    await apache.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await apache.start();
  return apache;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
