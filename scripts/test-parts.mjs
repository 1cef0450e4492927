// The real programs that some tests run against, and the Debian packages they come from. Missing ones
// are installed when that can be done without asking (root, apt); the tests skip or fail otherwise,
// as test/support/parts.ts says.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Program path → Debian package. */
const parts = {
  '/usr/sbin/apache2': 'apache2-bin',
  '/usr/bin/curl': 'curl',
  '/usr/bin/openssl': 'openssl',
  '/usr/bin/h2load': 'nghttp2-client',
  '/usr/bin/wrk': 'wrk',
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/git': 'git',
  '/usr/bin/swatchdog': 'swatch',
  '/usr/bin/fail2ban-regex': 'fail2ban',
  '/usr/bin/snmptranslate': 'snmp',
  '/usr/sbin/snmptrapd': 'snmptrapd',
  '/usr/bin/redis-server': 'redis-server',
};

/** Installs the packages of the programs that are missing, if it can. */
export function installTestParts() {
  const missing = Object.entries(parts).filter(([program]) => !existsSync(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.error(
      `wormgate: not installed, and not installable without root: ${packages.join(' ')}`,
    );
    return;
  }
  console.error(`wormgate: installing for the tests: ${packages.join(' ')}`);
  const options = {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 300_000,
  };
  spawnSync('apt-get', ['update', '-q'], options);
  spawnSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], options);
}
