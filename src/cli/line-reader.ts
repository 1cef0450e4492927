/**
 * Reads the lines that an operator types, with history and completion when the input is a terminal.
 * Can be put aside while something else reads the keys. Knows no commands.
 */
import { createInterface, type Interface } from 'node:readline';

export interface LineReaderOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Whether lines are edited: prompt, history, completion. */
  readonly terminal: boolean;
  readonly prompt: string;
  /** What could replace the end of the line, and that end. */
  readonly complete: (line: string) => [readonly string[], string];
}

const historySize = 200;
/** Lines that may wait before the input is no longer read. */
const waitingLinesMax = 1000;

export class LineReader {
  readonly #options: LineReaderOptions;
  readonly #lines: string[] = [];
  #history: string[] = [];
  #interface: Interface | undefined;
  #deliver: ((line: string | undefined) => void) | undefined;
  #ended = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
    this.resume();
  }

  /** The next line, without its line end; undefined at the end of the input and after `end`. */
  next(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#ended) return Promise.resolve(line);
    this.#interface?.resume();
    this.#interface?.prompt();
    return new Promise((done) => {
      this.#deliver = done;
    });
  }

  /** Lets go of the input, so that keys can be read from it. */
  suspend(): void {
    const open = this.#interface;
    this.#interface = undefined;
    open?.close();
  }

  /** Takes the input up again after `suspend`; the history is kept. */
  resume(): void {
    const { input, output, terminal, prompt, complete } = this.#options;
    const made = createInterface({
      input,
      output,
      terminal,
      prompt: terminal ? prompt : '',
      historySize,
      history: [...this.#history],
      removeHistoryDuplicates: true,
      completer: (line: string) => {
        const [candidates, fragment] = complete(line);
        return [[...candidates], fragment];
      },
    });
    made.on('history', (history: string[]) => {
      this.#history = [...history];
    });
    made.on('line', (line) => this.#take(line));
    made.on('close', () => {
      // Closed by `suspend` it is no longer the one in use.
      if (this.#interface === made) this.end();
    });
    this.#interface = made;
  }

  /** Ends reading: whoever waits for a line gets undefined. */
  end(): void {
    this.#ended = true;
    this.suspend();
    this.#settle(undefined);
  }

  #take(line: string): void {
    if (this.#deliver !== undefined) {
      this.#settle(line);
      return;
    }
    this.#lines.push(line);
    if (this.#lines.length >= waitingLinesMax) this.#interface?.pause();
  }

  #settle(line: string | undefined): void {
    const deliver = this.#deliver;
    this.#deliver = undefined;
    deliver?.(line);
  }
}
