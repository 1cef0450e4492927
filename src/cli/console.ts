/**
 * `wormgate console`: the Proxy Console of the paper. A menu, of which 23 is the Virus Pattern
 * Configuration screen, and every console command. Without a terminal it reads commands from its
 * input and shows the screen once.
 */
import { completeLine } from '../admin/command-reference.ts';
import {
  type ConsoleClient,
  type ConsoleConnection,
  type ConsoleFailure,
  connectConsole,
} from '../admin/console-client.ts';
import { parseLine } from '../admin/grammar.ts';
import { renderScreen } from '../admin/screen.ts';
import { type Clock, systemClock } from '../clock.ts';
import { fromLatin1, toLatin1 } from './arguments.ts';
import { LineReader } from './line-reader.ts';
import { showLiveScreen } from './live-screen.ts';
import { type Output, processOutput } from './output.ts';
import { runScript } from './run-script.ts';

const menu = [
  'Proxy Console',
  '',
  '  23  Virus Pattern Configuration',
  '   0  Exit',
  '',
  'Enter a number, or a console command; "virus -h" lists them.',
].join('\n');

/** The streams and the clock that the console works with; the process's own by default. */
export interface ConsoleStreams {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly text: Output;
  readonly clock: Clock;
}

class InteractiveConsole {
  readonly #dataFolder: string;
  readonly #streams: ConsoleStreams;
  readonly #isTerminal: boolean;
  readonly #reader: LineReader;
  #client: ConsoleClient;
  #failure: ConsoleFailure | undefined;

  constructor(dataFolder: string, client: ConsoleClient, streams: ConsoleStreams) {
    this.#dataFolder = dataFolder;
    this.#streams = streams;
    const { input, output } = streams;
    this.#isTerminal = input.isTTY === true && output.isTTY === true;
    this.#client = client;
    this.#reader = new LineReader({
      input,
      output,
      terminal: this.#isTerminal,
      prompt: '> ',
      complete: (line) => {
        const { candidates, fragment } = completeLine(line);
        return [candidates, fragment];
      },
    });
    this.#watch(client);
  }

  async run(): Promise<number> {
    const { text } = this.#streams;
    if (this.#isTerminal) text.print(menu);
    try {
      while (this.#failure === undefined) {
        const line = await this.#reader.next();
        if (line === undefined || !(await this.#obey(line.trim()))) break;
      }
    } finally {
      this.#reader.end();
      this.#client.close();
    }
    if (this.#failure === undefined) return 0;
    // It may have been found out while a line was being typed.
    if (this.#isTerminal) text.print('');
    text.complain(`wormgate: ${this.#failure.message}`);
    return this.#failure.exitCode;
  }

  /** Carries out what was typed; false when it ends the console. */
  async #obey(typed: string): Promise<boolean> {
    if (typed === '') return true;
    const choice = typed.toLowerCase();
    if (choice === '0' || choice === 'exit' || choice === 'quit') return false;
    if (/^(?:virus|cache)(?:[\t ]|$)/.test(choice)) await this.#command(toLatin1(typed));
    else if (choice === '23') await this.#screen();
    else if (choice === 'menu' || choice === 'help' || choice === '?')
      this.#streams.text.print(menu);
    else this.#streams.text.complain('There is no such entry in the menu; "menu" shows it.');
    return true;
  }

  async #command(line: string): Promise<void> {
    const { text } = this.#streams;
    const client = await this.#connected();
    if (client === undefined) return;
    const parsed = parseLine(line);
    if (parsed.ok && parsed.command.operand !== undefined) {
      await runScript(fromLatin1(parsed.command.operand), client, text);
      return;
    }
    const answer = await client.send([line], 'console');
    if (!answer.ok) this.#fail(answer);
    else for (const reply of answer.replies) text[reply.ok ? 'print' : 'complain'](reply.text);
  }

  async #screen(): Promise<void> {
    const { input, output, text, clock } = this.#streams;
    const client = await this.#connected();
    if (client === undefined) return;
    if (this.#isTerminal && process.env.TERM !== 'dumb') {
      this.#reader.suspend();
      const failure = await showLiveScreen({ input, output }, clock, () => client.screen());
      if (failure !== undefined) this.#fail(failure);
      else this.#reader.resume();
      return;
    }
    const screen = await client.screen();
    if (!screen.ok) this.#fail(screen);
    else {
      const columns = output.columns || 80;
      text.print(renderScreen(screen.snapshot, { columns, rows: 100 }).join('\n'));
    }
  }

  /** The connection, made anew when the server ended it because it was idle. */
  async #connected(): Promise<ConsoleClient | undefined> {
    if (this.#client.usable) return this.#client;
    const connection: ConsoleConnection = await connectConsole(this.#dataFolder);
    if (!connection.ok) {
      this.#fail(connection);
      return undefined;
    }
    this.#client = connection.client;
    this.#watch(connection.client);
    return connection.client;
  }

  #watch(client: ConsoleClient): void {
    client.whenGone((failure) => this.#fail(failure));
  }

  #fail(failure: ConsoleFailure): void {
    this.#failure ??= failure;
    this.#reader.end();
  }
}

/** Opens the console of the server on a data folder; gives an exit code of docs/operations.md. */
export async function runConsole(
  dataFolder: string,
  streams: ConsoleStreams = {
    input: process.stdin,
    output: process.stdout,
    text: processOutput(),
    clock: systemClock,
  },
): Promise<number> {
  const connection = await connectConsole(dataFolder);
  if (!connection.ok) {
    streams.text.complain(`wormgate: ${connection.message}`);
    return connection.exitCode;
  }
  return await new InteractiveConsole(dataFolder, connection.client, streams).run();
}
