/**
 * What comes with the package for those who run it as a service: read strictly, key by key, and by the
 * programs that it is for where they are installed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { limitsSection } from '../../src/config/limit-rows.ts';
import { projectPath } from '../support/paths.ts';

function shipped(name: string): string {
  return readFileSync(projectPath('packaging', name), 'utf8');
}

/** The words of a file's lines that are neither empty nor comments. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** A unit's values, by `Section.Key`. */
function readUnit(text: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  let section = '';
  for (const line of linesOf(text)) {
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      continue;
    }
    const [, key, value] = /^([A-Z]\w+)=(\S.*)$/.exec(line) ?? [];
    assert.ok(key !== undefined && value !== undefined && section !== '', line);
    const name = `${section}.${key}`;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

const unit = readUnit(shipped('wormgate.service'));
const one = (name: string) => {
  const values = unit.get(name);
  assert.equal(values?.length, 1, name);
  return values?.[0] ?? '';
};

test('the unit runs as nobody in particular and may do what serving takes', () => {
  const switchedOn = [
    ...['DynamicUser', 'NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'PrivateDevices'],
    ...['ProtectClock', 'ProtectControlGroups', 'ProtectHostname', 'ProtectKernelLogs'],
    ...['ProtectKernelModules', 'ProtectKernelTunables', 'RemoveIPC', 'LockPersonality'],
    ...['RestrictNamespaces', 'RestrictRealtime', 'RestrictSUIDSGID'],
  ];
  for (const key of switchedOn) assert.equal(one(`Service.${key}`), 'yes', key);
  assert.equal(one('Service.ProtectSystem'), 'strict');
  assert.equal(one('Service.StateDirectory'), 'wormgate');
  assert.equal(one('Service.CapabilityBoundingSet'), 'CAP_NET_BIND_SERVICE');
  assert.equal(one('Service.AmbientCapabilities'), 'CAP_NET_BIND_SERVICE');
  assert.equal(one('Service.RestrictAddressFamilies'), 'AF_INET AF_INET6 AF_UNIX AF_NETLINK');
  assert.deepEqual(unit.get('Service.SystemCallFilter'), [
    '@system-service @pkey',
    '~@privileged @resources',
  ]);
  // Node's compiler needs memory that is written and then executed.
  assert.equal(unit.has('Service.MemoryDenyWriteExecute'), false);
});

test('the unit starts, reloads and stops as docs/operations.md says', () => {
  assert.equal(
    one('Service.ExecStart'),
    'wormgate start --config /etc/wormgate/PROXY.CFG --data /var/lib/wormgate',
  );
  assert.deepEqual(unit.get('Service.ExecReload'), [
    'wormgate check --config /etc/wormgate/PROXY.CFG',
    'kill -HUP $MAINPID',
  ]);
  assert.equal(one('Service.Restart'), 'on-failure');
  assert.equal(one('Service.RestartPreventExitStatus'), '2');
  const drainSeconds = Number(limitsSection.rows.DrainSeconds.default);
  assert.ok(Number(one('Service.TimeoutStopSec')) > drainSeconds);
  const connections = Number(limitsSection.rows.MaxConnections.default);
  assert.ok(Number(one('Service.LimitNOFILE')) > 2 * connections);
});

/** What a program says of a file, or undefined where it is not installed. */
function ask(command: string, args: readonly string[]): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (error !== undefined) {
    assert.ok('code' in error && error.code === 'ENOENT', String(error));
    return undefined;
  }
  return `${status}\n${stdout}${stderr}`;
}

test('systemd finds no fault with the unit, where it is installed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-unit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'wormgate.service');
  // The program is looked for, and here it lies elsewhere.
  const program = projectPath('dist', 'bin', 'wormgate.cjs');
  writeFileSync(file, shipped('wormgate.service').replaceAll('=wormgate ', `=${program} `));
  const verdict = ask('systemd-analyze', ['verify', '--man=no', file]);
  assert.ok(verdict === undefined || verdict === '0\n', verdict);
});

test('the logs are rotated by renaming and one signal', (t) => {
  const text = shipped('logrotate.conf');
  const [first, ...rest] = linesOf(text);
  const logs = ['PROXY.LOG', 'hp-vt.log', 'events.jsonl'];
  assert.equal(first, `${logs.map((log) => `/var/lib/wormgate/${log}`).join(' ')} {`);
  for (const word of ['missingok', 'nocreate', 'delaycompress', 'sharedscripts', 'postrotate']) {
    assert.ok(rest.includes(word), word);
  }
  assert.ok(rest.includes('systemctl kill --signal=HUP --kill-who=main wormgate.service'));
  // Copying would lose the lines of the moment in between.
  assert.doesNotMatch(text, /copytruncate/);
  const folder = mkdtempSync(join(tmpdir(), 'wormgate-rotate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'wormgate');
  writeFileSync(file, text, { mode: 0o644 });
  const verdict = ask('logrotate', ['--debug', '--state', join(folder, 'state'), file]);
  assert.ok(verdict === undefined || /^0\n(?![\s\S]*error:)/.test(verdict), verdict);
});

test('the container is built from what is there, runs as nobody in particular, and is asked whether it is ready', () => {
  // An instruction may go on over several lines.
  const instructions = linesOf(
    readFileSync(projectPath('Dockerfile'), 'utf8').replace(/\\\n\s*/g, ''),
  );
  const stages = instructions.filter((line) => line.startsWith('FROM '));
  assert.equal(stages.length, 2);
  const last = instructions.slice(instructions.lastIndexOf(stages[1] ?? ''));
  assert.ok(last.includes('USER node'));
  const check = last.find((line) => line.startsWith('HEALTHCHECK ')) ?? '';
  const command: unknown = JSON.parse(/ CMD (\[.*\])$/.exec(check)?.[1] ?? '');
  assert.ok(Array.isArray(command) && command.length === 3, check);
  assert.ok(
    last.some((line) => line.startsWith('ENV WORMGATE_READY=http://127.0.0.1:8081/readyz')),
  );
  // Of the last stage nothing is from the checkout.
  const copied = last.filter((line) => line.startsWith('COPY '));
  assert.ok(copied.length > 0 && copied.every((line) => line.startsWith('COPY --from=build ')));
  const unpacked = instructions.find((line) => line.includes('sed -e')) ?? '';
  const configuration = readFileSync(projectPath('config', 'PROXY.CFG'), 'utf8');
  assert.ok(unpacked.includes('^Listen=127\\.0\\.0\\.1:8080$'));
  assert.match(configuration, /^Listen=127\.0\.0\.1:8080$/m);
  const ignored = linesOf(readFileSync(projectPath('.dockerignore'), 'utf8'));
  for (const name of ['.git', 'node_modules', 'dist', 'data']) assert.ok(ignored.includes(name));
});
