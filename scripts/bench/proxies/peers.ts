/**
 * THE table of the servers that are measured: what each is called, which programs it needs and how it
 * is started. A further one is a row here, a template, and its name in scenarios.ts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectPath } from '../../../test/support/paths.ts';
import { madePatterns } from '../screening/made-patterns.ts';
import type { Values } from './template.ts';

/** The ports of a running peer: what it does at each, where it does that at all. */
export interface Ports {
  /** Relays, and answers from a cache below /cached/ if it has one. */
  readonly relay: number;
  /** Refuses the virus request and leaves the connection open. */
  readonly open: number;
  /** Refuses the virus request as it does by default. */
  readonly closing: number;
  readonly admin: number;
  readonly origin: number;
}

/** What a row is told about the peer to be started. */
export interface Setting {
  /** The peer's own. */
  readonly folder: string;
  readonly ports: Ports;
  readonly logsOn: boolean;
}

export type Command = readonly [program: string, ...args: string[]];

export interface PeerRow {
  readonly title: string;
  /** Program or module, and the Debian package that it comes from. */
  readonly parts: Readonly<Record<string, string>>;
  /** Configuration files in the peer's folder are made from the templates of the same names. */
  readonly templates: readonly string[];
  readonly command: (setting: Setting) => Command;
  /** A second process that belongs to the server, started after it. */
  readonly companion?: (setting: Setting) => Command | undefined;
  /** Values of the templates beyond folder and ports. */
  readonly values?: (setting: Setting) => Values;
}

const nginxParts = { '/usr/sbin/nginx': 'nginx' };

function nginxCommand(configuration: string) {
  return ({ folder }: Setting): Command => [
    '/usr/sbin/nginx',
    '-p',
    folder,
    '-c',
    join(folder, configuration),
  ];
}

function nodePeer(name: string, title: string): PeerRow {
  return {
    title,
    parts: {},
    templates: [],
    command: ({ folder, ports, logsOn }) => [
      process.execPath,
      join(import.meta.dirname, 'node-peers.js'),
      name,
      String(ports.relay),
      String(ports.origin),
      ...(logsOn ? [join(folder, 'access.log')] : []),
    ],
  };
}

interface WormgateVariant {
  readonly fastPath?: 0 | 1;
  readonly scan?: 0 | 1;
  readonly action?: 'drop' | 'slip';
  readonly cache?: 0 | 1;
  /** So many made patterns instead of the shipped ones. */
  readonly patternCount?: number;
}

function writePatterns(file: string, count: number): string {
  const lines: string[] = [];
  for (const pattern of madePatterns(count)) lines.push(`virus add -p "${pattern}" -o 385\n`);
  writeFileSync(file, lines.join(''));
  return file;
}

function wormgate(title: string, variant: WormgateVariant): PeerRow {
  const shipped = ['classic-worms.ncf', 'modern-worms.ncf'].map((name) =>
    projectPath('patterns', name),
  );
  const program = projectPath('dist', 'bin', 'wormgate.cjs');
  return {
    title,
    parts: {},
    templates: ['wormgate.cfg'],
    command: ({ folder }) => [
      process.execPath,
      program,
      'start',
      '--config',
      join(folder, 'wormgate.cfg'),
      '--data',
      join(folder, 'data'),
    ],
    values: ({ folder }) => {
      const { patternCount } = variant;
      const files =
        patternCount === undefined
          ? shipped
          : [writePatterns(join(folder, 'made.ncf'), patternCount)];
      return {
        FAST_PATH: variant.fastPath ?? 1,
        SCAN: variant.scan ?? 1,
        CACHE: variant.cache ?? 0,
        VIRUS_ACTION: variant.action ?? 'drop',
        PATTERN_FILES: files.map((file) => `"${file}"`).join(', '),
      };
    },
  };
}

export const peerTable = {
  nginx: {
    title: 'nginx',
    parts: nginxParts,
    templates: ['nginx.conf'],
    command: nginxCommand('nginx.conf'),
  },
  haproxy: {
    title: 'HAProxy',
    parts: { '/usr/sbin/haproxy': 'haproxy' },
    templates: ['haproxy.cfg'],
    command: ({ folder }) => ['/usr/sbin/haproxy', '-db', '-f', join(folder, 'haproxy.cfg')],
  },
  varnish: {
    title: 'Varnish',
    parts: { '/usr/sbin/varnishd': 'varnish' },
    templates: ['varnish.vcl'],
    command: ({ folder, ports }) => [
      '/usr/sbin/varnishd',
      ...['-F', '-j', 'none', '-n', join(folder, 'work'), '-s', 'malloc,64m'],
      ...['-p', 'listen_depth=4096', '-p', 'timeout_idle=60'],
      ...['-a', `127.0.0.1:${ports.relay}`, '-f', join(folder, 'varnish.vcl')],
    ],
    companion: ({ folder, logsOn }) =>
      logsOn
        ? [
            '/usr/bin/varnishncsa',
            ...['-n', join(folder, 'work'), '-w', join(folder, 'access.log')],
          ]
        : undefined,
  },
  apache: {
    title: 'Apache mod_proxy',
    parts: { '/usr/sbin/apache2': 'apache2-bin' },
    templates: ['apache.conf'],
    command: ({ folder }) => [
      '/usr/sbin/apache2',
      ...['-d', folder, '-f', join(folder, 'apache.conf'), '-DFOREGROUND'],
    ],
  },
  modsecurity: {
    title: 'nginx + ModSecurity + CRS',
    parts: {
      ...nginxParts,
      '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so': 'libnginx-mod-http-modsecurity',
      '/usr/share/modsecurity-crs/rules': 'modsecurity-crs',
    },
    templates: ['nginx-modsecurity.conf', 'modsecurity.conf'],
    command: nginxCommand('nginx-modsecurity.conf'),
  },
  'http-proxy': nodePeer('http-proxy', 'http-proxy'),
  fastify: nodePeer('fastify', 'Fastify + @fastify/http-proxy'),
  wormgate: wormgate('wormgate', {}),
  'wormgate-front': wormgate('wormgate front', { fastPath: 0 }),
  'wormgate-cached': wormgate('wormgate, cached', { cache: 1 }),
  'wormgate-slip': wormgate('wormgate, slip', { action: 'slip' }),
  'wormgate-front-slip': wormgate('wormgate front, slip', { fastPath: 0, action: 'slip' }),
  'scanning-off': wormgate('wormgate, scanning off', { scan: 0 }),
  'patterns-0': wormgate('wormgate, no patterns', { patternCount: 0 }),
  'patterns-255': wormgate('wormgate, 255 patterns', { patternCount: 255 }),
  'patterns-10000': wormgate('wormgate, 10,000 patterns', { patternCount: 10_000 }),
  'patterns-1000000': wormgate('wormgate, 1,000,000 patterns', { patternCount: 1_000_000 }),
} as const satisfies Record<string, PeerRow>;

export type PeerName = keyof typeof peerTable;

/** The row of a peer, without what only one of them has. */
export function peerRow(name: PeerName): PeerRow {
  return peerTable[name];
}

/** Makes the folder of a peer. */
export function makeFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
