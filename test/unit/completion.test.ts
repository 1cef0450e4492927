/** The completion of shells, asked as a shell asks it, in those shells that are installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { commandWords } from '../../src/admin/commands.ts';
import { programCommands } from '../../src/cli/program-commands.ts';
import { projectPath } from '../support/paths.ts';

const folder = projectPath('packaging', 'completion');

/** Sources the file and calls the function with the words of a line, of which the last is being typed. */
const bashScript = `
source "$1/wormgate.bash"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"_$1"
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** The same, with stand-ins for what zsh's own system does with the offers. */
const zshScript = `
compdef() { : }
_describe() { [[ $1 != -* ]] && print -l -- \${\${(@P)argv[-1]}%%:*} }
_files() { print -l -- * }
source "$1/_wormgate"; shift
words=("$@"); CURRENT=$#; service=$1
_wormgate
`;

/** The offers for a line, sorted; undefined where the shell is not installed. */
function offers(shell: 'bash' | 'zsh', line: readonly string[]): string[] | undefined {
  const script = shell === 'bash' ? bashScript : zshScript;
  const flags = shell === 'bash' ? ['--norc', '--noprofile'] : ['-f'];
  const { error, stdout, stderr } = spawnSync(
    shell,
    [...flags, '-c', script, shell, folder, ...line],
    { cwd: projectPath('patterns'), encoding: 'utf8', timeout: 20_000 },
  );
  if (error !== undefined) {
    assert.ok('code' in error && error.code === 'ENOENT', String(error));
    return undefined;
  }
  assert.equal(stderr, '');
  const typed = line.at(-1) ?? '';
  // zsh itself leaves out what does not begin so.
  return stdout
    .split('\n')
    .filter((word) => word !== '' && word.startsWith(typed))
    .sort();
}

const settingLetters = ['-c', '-e', '-h', '-m', '-r', '-t'];

const cases: readonly (readonly [line: readonly string[], expected: readonly string[]])[] = [
  [
    ['wormgate', ''],
    [...programCommands.map(({ word }) => word), '--help', '--version'],
  ],
  [
    ['wormgate', 'st'],
    ['start', 'status'],
  ],
  [
    ['wormgate', 'start', '--'],
    ['--config', '--data'],
  ],
  [['wormgate', 'tune', '--config', 'modern'], ['modern-worms.ncf']],
  [
    ['wormgate', 'completion', ''],
    ['bash', 'zsh'],
  ],
  [['wormgate', 'cache', 'p'], ['purge']],
  [['wormgate', 'cache', 'purge', ''], ['all']],
  [
    ['virus', ''],
    [...commandWords, ...settingLetters, '--data'],
  ],
  [
    ['wormgate', 'virus', 'a'],
    ['accept', 'add'],
  ],
  [
    ['virus', 'add', '-'],
    ['-h', '-k', '-o', '-p'],
  ],
  [['virus', 'add', '-p', ''], []],
  [['virus', '--data', '/var/lib/wormgate', 'l'], ['list']],
  [
    ['virus', '--data', '/var/lib/wormgate', 'list', '-'],
    ['-h', '-k'],
  ],
  [['virus', '-t', '300', '-'], settingLetters],
  [['virus', 'run', 'key'], ['keywords.ncf']],
];

for (const shell of ['bash', 'zsh'] as const) {
  test(`${shell} completes every command, option and file name, where it is installed`, () => {
    for (const [line, expected] of cases) {
      const offered = offers(shell, line);
      if (offered === undefined) return;
      assert.deepEqual(offered, [...expected].sort(), line.join(' '));
    }
  });
}
