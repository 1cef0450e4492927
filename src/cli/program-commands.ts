/**
 * THE table of the program's commands, as a shell types them: `wormgate WORD …`. The parser, its help, the
 * man page and the completion of shells follow it. What comes after `virus` and `cache` are console
 * commands, with tables of their own; what a command does is in wormgate.ts.
 */
import { defaultConfigFile, defaultDataFolder, findConfigFile } from './arguments.ts';

/** What the value of an option or an operand is, for completion; `none`: the option is a switch. */
type ValueKind = 'file' | 'folder' | 'text' | 'none';

/** `--NAME VALUE`, or `--NAME`. */
export interface ProgramOption {
  readonly kind: ValueKind;
  /** In manuals; empty for a switch. */
  readonly placeholder: string;
  /** A clause. */
  readonly help: string;
  readonly default?: string;
  /** The default as it is told: the same wherever the program runs. */
  readonly defaultText?: string;
}

/** What stands without an option. */
export interface ProgramOperand {
  readonly name: string;
  readonly kind: ValueKind;
  /** More than one may be given. */
  readonly isList: boolean;
  readonly help: string;
  /** No other values. */
  readonly choices?: readonly string[];
}

/** One command. */
export interface ProgramCommand {
  readonly word: string;
  /** A clause for the list of commands. */
  readonly help: string;
  /** Sentences more, for the manual. */
  readonly details: string;
  readonly options: Readonly<Record<string, ProgramOption>>;
  readonly operand?: ProgramOperand;
}

const config: ProgramOption = {
  kind: 'file',
  placeholder: 'FILE',
  help: 'The configuration file',
  default: findConfigFile(),
  defaultText: defaultConfigFile,
};

const data: ProgramOption = {
  kind: 'folder',
  placeholder: 'DIR',
  help: 'The data folder',
  default: defaultDataFolder,
  defaultText: defaultDataFolder,
};

/** The shells that there is a completion for. */
export const shells = ['bash', 'zsh'] as const;

/** Every command, in the order in which the help lists them. */
export const programCommands = [
  {
    word: 'start',
    help: 'Run the accelerators in the foreground',
    details:
      'The only line on stdout is "wormgate ready": by then every address is bound, the patterns are in force and the console answers. Warnings and errors go to stderr.',
    options: { config, data },
  },
  {
    word: 'check',
    help: 'Check the configuration file and print every fault',
    details: 'Each fault is a line FILE:LINE: [Section] Key: message. A good file is FILE: ok.',
    options: { config },
  },
  {
    word: 'console',
    help: 'Open the console of the running server: menu, screen and commands',
    details: 'Its 23 is the Virus Pattern Configuration screen, drawn anew every second.',
    options: { data },
  },
  {
    word: 'status',
    help: 'Print the status report of the virus throttle of the running server',
    details: '',
    options: {
      data,
      source: {
        kind: 'text',
        placeholder: 'SOURCE',
        help: 'One server behind the egress gateway, by its address, or accelerator',
      },
      advise: {
        kind: 'none',
        placeholder: '',
        help: 'Print the settings that follow from what was measured',
      },
    },
  },
  {
    word: 'tune',
    help: 'Replay access logs: what would have been blocked, and what to set for Auto Update',
    details:
      'The logs are those of this server or of another one that writes the common or combined format.',
    options: {
      config,
      verdicts: {
        kind: 'file',
        placeholder: 'FILE',
        help: 'Write what would have become of each line, as tab-separated values',
      },
    },
    operand: {
      name: 'logs',
      kind: 'file',
      isList: true,
      help: 'Log files, plain or gzip; -: stdin',
    },
  },
  {
    word: 'virus',
    help: 'Send one console command to the running server: wormgate virus -h lists them',
    details: 'The same as the program virus.',
    options: {},
  },
  {
    word: 'cache',
    help: 'Show or purge what the running server has cached: wormgate cache -h',
    details: '',
    options: {},
  },
  {
    word: 'completion',
    help: 'Print the completion of wormgate and virus for a shell',
    details:
      'For one session: source <(wormgate completion bash). The files are in the folder packaging/completion of the package.',
    options: {},
    operand: {
      name: 'shell',
      kind: 'text',
      isList: false,
      help: 'The shell',
      choices: shells,
    },
  },
] as const satisfies readonly ProgramCommand[];

/** The words of the commands. */
export type ProgramWord = (typeof programCommands)[number]['word'];
