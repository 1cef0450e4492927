/**
 * Real programs that some tests need. Missing, such a test is skipped with a line that says which and
 * why; under CI=true it fails instead.
 */
import { existsSync } from 'node:fs';

const programs = {
  apache2: '/usr/sbin/apache2',
  curl: '/usr/bin/curl',
  openssl: '/usr/bin/openssl',
  h2load: '/usr/bin/h2load',
  wrk: '/usr/bin/wrk',
  chromium: '/usr/bin/chromium',
  git: '/usr/bin/git',
  'apt-get': '/usr/bin/apt-get',
  swatchdog: '/usr/bin/swatchdog',
  'fail2ban-regex': '/usr/bin/fail2ban-regex',
  snmptranslate: '/usr/bin/snmptranslate',
  snmptrapd: '/usr/sbin/snmptrapd',
  'redis-server': '/usr/bin/redis-server',
} as const;

export type Part = keyof typeof programs;

/** The path of the program. */
export function programPath(part: Part): string {
  return programs[part];
}

/** The `skip` option of a test that needs these programs: false, or the reason. */
export function skipWithout(...parts: Part[]): false | string {
  const missing = parts.filter((part) => !existsSync(programs[part]));
  if (missing.length === 0 || process.env.CI === 'true') return false;
  return `${missing.join(', ')} is not installed and could not be installed (needs root and apt)`;
}
