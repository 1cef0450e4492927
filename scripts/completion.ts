/**
 * The completion of `wormgate` and `virus` for bash and zsh, as files for those shells: from the table of
 * the program's commands and from that of the console. They ask no server and start no Node.
 * scripts/generate.ts writes them.
 */
import {
  type CommandWord,
  commandOptions,
  commandRows,
  commandWords,
  type OptionRow,
} from '../src/admin/commands.ts';
import {
  type ProgramCommand,
  type ProgramOption,
  programCommands,
} from '../src/cli/program-commands.ts';

const note = '# Written by `npm run generate`: change the tables that it follows.';

/** What may be offered in a place: words with a clause each, and names of files or folders. */
interface Offer {
  readonly words: readonly (readonly [word: string, help: string])[];
  readonly names?: 'file' | 'folder';
}

/** `case` pattern and what is offered there. */
type Choice = readonly [pattern: string, offer: Offer];

const cacheWords: readonly Choice[] = [
  ['show', { words: [['newest', 'those that were stored last']] }],
  ['purge', { words: [['all', 'everything']] }],
];

// A question mark would be taken for the name of a file.
const isOffered = ({ letter }: OptionRow) => letter !== '?';

function consoleOptions(word: CommandWord): Offer['words'] {
  // A form that is an option alone is best told by what the form does.
  const helpOf = ({ letter, help }: OptionRow) =>
    commandRows(word).find(({ options }) => word === '' && options[0]?.letter === letter)?.help ??
    help;
  return [...commandOptions(word).values()]
    .filter(isOffered)
    .map((option) => [`-${option.letter}`, helpOf(option)]);
}

function wordHelp(word: CommandWord): string {
  return [...new Set(commandRows(word).map(({ help }) => help))].join(', or ');
}

/** After a command word of the console: its options. */
const consoleChoices: readonly Choice[] = [
  ...commandWords.map((word): Choice => {
    const isScript = commandRows(word).some(({ operand }) => operand === 'FILE');
    return [word, { words: consoleOptions(word), ...(isScript && { names: 'file' }) }];
  }),
  ['-*', { words: consoleOptions('') }],
];

/** Where the command word may stand. */
const consoleFirst: Offer = {
  words: [...commandWords.map((word) => [word, wordHelp(word)] as const), ...consoleOptions('')],
};

/** Options of the console whose value is the operator's own. */
const valueLetters = [
  ...new Set(
    (['', ...commandWords] as const)
      .flatMap((word) => [...commandOptions(word).values()])
      .filter(({ kind }) => kind !== 'flag')
      .map(({ letter }) => `-${letter}`),
  ),
];

const programRows: readonly ProgramCommand[] = programCommands;

const programOptions: Readonly<Record<string, ProgramOption>> = Object.assign(
  {},
  ...programRows.map(({ options }) => options),
);

function offerOf(kind: ProgramOption['kind']): Offer {
  return { words: [], ...((kind === 'file' || kind === 'folder') && { names: kind }) };
}

/** After an option that takes a value: which values. */
const programValues: readonly Choice[] = Object.entries(programOptions)
  .filter(([, { kind }]) => kind !== 'none')
  .map(([name, { kind }]) => [`--${name}`, offerOf(kind)]);

const programFirst: Offer = {
  words: [
    ...programRows.map(({ word, help }) => [word, help] as const),
    ['--help', 'Show help'],
    ['--version', 'Show version number'],
  ],
};

/** After a word of the program: its options and operands. */
const programChoices: readonly Choice[] = programRows
  .filter(({ word }) => word !== 'virus' && word !== 'cache')
  .map(({ word, options, operand }) => {
    const values = operand?.choices?.map((choice) => [choice, operand.help] as const) ?? [];
    const typed = Object.entries(options).map(([name, { help }]) => [`--${name}`, help] as const);
    const { names } = offerOf(operand?.kind ?? 'none');
    return [word, { words: [...values, ...typed], ...(names !== undefined && { names }) }];
  });

const cacheFirst: Offer = {
  words: [
    ['show', 'list stored answers'],
    ['purge', 'take stored answers out'],
  ],
};

function bashOffer({ words, names }: Offer): string {
  const list = words.map(([word]) => word).join(' ');
  const action = { file: ' -f', folder: ' -d', none: '' }[names ?? 'none'];
  return `_wormgate_offer '${list}'${action}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function zshOffer({ words, names }: Offer): string {
  const offers = words.map(([word, help]) => quoted(`${word}:${help}`)).join(' ');
  const steps = [
    ...(words.length === 0 ? [] : [`offers=(${offers}); _describe word offers`]),
    ...(names === undefined ? [] : [names === 'file' ? '_files' : '_files -/']),
  ];
  return steps.length === 0 ? ':' : steps.join('; ');
}

function cases(choices: readonly Choice[], offer: (offer: Offer) => string): string {
  return choices.map(([pattern, each]) => `    ${pattern}) ${offer(each)} ;;`).join('\n');
}

/** A shell's words for the same course of things. */
interface Dialect {
  readonly offer: (offer: Offer) => string;
  /** The word at an index, given as arithmetic of the shell. */
  readonly word: (index: string) => string;
  /** The name of the index of the word that is typed, and the index of the first behind the program's. */
  readonly current: string;
  readonly first: number;
}

/** `$i` is where the console's words begin; `--data DIR` may stand before them. */
function consoleFunction(
  { offer, word, current }: Dialect,
  name: string,
  first: Offer,
  choices: readonly Choice[],
): string {
  const data: Offer = { words: [...first.words, ['--data', 'The data folder']] };
  const valuePattern = name === '_wormgate_console' ? `${valueLetters.join('|')}) return ;;` : '';
  return `${name}() {
  local begin=$1 i=$1
  case "${word('i')}" in
    --data) if [[ "${word('i+1')}" == '=' ]]; then i=$((i + 3)); else i=$((i + 2)); fi ;;
    --data=*) i=$((i + 1)) ;;
  esac
  case "${word(`${current}-1`)}" in
    --data) ${offer({ words: [], names: 'folder' })}; return ;;
    ${valuePattern}
  esac
  if [[ $${current} -le $i ]]; then
    if [[ $i -eq $begin ]]; then ${offer(data)}; else ${offer(first)}; fi
    return
  fi
  case "${word('i')}" in
${cases(choices, offer)}
  esac
}`.replace(/\n +\n/g, '\n');
}

function programFunction({ offer, word, current, first }: Dialect): string {
  const command = word(String(first));
  return `_wormgate_program() {
  if [[ $${current} -eq ${first} ]]; then ${offer(programFirst)}; return; fi
  case "${command}" in
    virus) _wormgate_console ${first + 1}; return ;;
    cache) _wormgate_cache ${first + 1}; return ;;
  esac
  case "${word(`${current}-1`)}" in
${programValues.map(([pattern, each]) => `    ${pattern}) ${offer(each)}; return ;;`).join('\n')}
  esac
  case "${command}" in
${cases(programChoices, offer)}
  esac
}`;
}

function functions(dialect: Dialect): string {
  return [
    consoleFunction(dialect, '_wormgate_console', consoleFirst, consoleChoices),
    consoleFunction(dialect, '_wormgate_cache', cacheFirst, cacheWords),
    programFunction(dialect),
  ].join('\n\n');
}

function bashFile(): string {
  const dialect: Dialect = {
    offer: bashOffer,
    word: (index) => `\${COMP_WORDS[${index}]}`,
    current: 'COMP_CWORD',
    first: 1,
  };
  return `# bash completion of wormgate and virus.
${note}

# The words, and with -f or -d the names of files or folders, that begin as the word that is typed.
_wormgate_offer() {
  local word line
  word=$\{COMP_WORDS[COMP_CWORD]}
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
    compgen -W "$1" -- "$word"
    if [[ -n $2 ]]; then compgen "$2" -- "$word"; fi
  )
  if [[ -n $2 ]]; then compopt -o filenames 2>/dev/null; fi
}

${functions(dialect)}

_wormgate() { COMPREPLY=(); _wormgate_program; }
_virus() { COMPREPLY=(); _wormgate_console 1; }

complete -F _wormgate wormgate
complete -F _virus virus
`;
}

function zshFile(): string {
  const dialect: Dialect = {
    offer: zshOffer,
    word: (index) => `\${words[${index}]}`,
    current: 'CURRENT',
    first: 2,
  };
  return `#compdef wormgate virus
# zsh completion of wormgate and virus.
${note}

${functions(dialect)}

_wormgate() {
  local -a offers
  if [[ $service == virus ]]; then _wormgate_console 2; else _wormgate_program; fi
}

# Loaded from a folder of $fpath, it is called at once; sourced, it announces itself.
if [[ $\{funcstack[1]} == _wormgate ]]; then _wormgate "$@"; else compdef _wormgate wormgate virus; fi
`;
}

/** The files, by their path within the project. */
export const completionFiles: readonly { readonly path: string; readonly render: () => string }[] =
  [
    { path: 'packaging/completion/wormgate.bash', render: bashFile },
    { path: 'packaging/completion/_wormgate', render: zshFile },
  ];
