/**
 * `virus run FILE.NCF` (the paper, "Updating the Database via a Script"): reads the script, sends its
 * commands in batches, reports each line that failed as FILE:LINE: message, carries on and ends with
 * a summary. The file is read as a stream, so its size does not matter.
 */
import { createReadStream } from 'node:fs';
import type { ConsoleClient, ConsoleFailure } from '../admin/console-client.ts';
import { messageBytesMax, messageLinesMax } from '../admin/console-protocol.ts';
import { type NcfLine, readNcfLine } from '../admin/ncf.ts';
import { describeFileError } from '../config/fault.ts';
import type { Output } from './output.ts';

/** The largest value that MaxConsoleLine can have: no server takes a longer line. */
const lineBytesMax = 64 * 1024;
/** Batches that are on their way at once. */
const batchesInFlightMax = 4;
/** Room in a message for what is not lines. */
const envelopeBytes = 1024;

async function* readScript(file: string): AsyncGenerator<NcfLine> {
  let rest = '';
  let line = 0;
  for await (const chunk of createReadStream(file, { encoding: 'latin1' })) {
    const pieces = `${rest}${chunk}`.split('\n');
    // What is cut off here is of a line that is too long already.
    rest = (pieces.pop() ?? '').slice(0, lineBytesMax + 1);
    for (const piece of pieces) {
      line += 1;
      const read = readNcfLine(piece, line);
      if (read !== undefined) yield read;
    }
  }
  const last = readNcfLine(rest, line + 1);
  if (last !== undefined) yield last;
}

/** One run of a script. */
class ScriptRun {
  readonly #file: string;
  readonly #client: ConsoleClient;
  readonly #output: Output;
  readonly #inFlight: Promise<void>[] = [];
  #batch: NcfLine[] = [];
  #batchBytes = envelopeBytes;
  #lineCount = 0;
  #doneCount = 0;
  #unchangedCount = 0;
  #failedCount = 0;
  failure: ConsoleFailure | undefined;

  constructor(file: string, client: ConsoleClient, output: Output) {
    this.#file = file;
    this.#client = client;
    this.#output = output;
  }

  async carryOut(): Promise<void> {
    for await (const ncfLine of readScript(this.#file)) {
      this.#lineCount += 1;
      const bytes = Buffer.byteLength(JSON.stringify(ncfLine.text)) + 1;
      const isFull = this.#batch.length >= messageLinesMax;
      if (isFull || this.#batchBytes + bytes > messageBytesMax) await this.#send();
      if (this.failure !== undefined) return;
      if (ncfLine.text.length > lineBytesMax) {
        // Earlier lines are reported first.
        await this.#send();
        await this.#settle(0);
        this.#fail(ncfLine.line, `The line is longer than ${lineBytesMax} bytes.`);
      } else {
        this.#batch.push(ncfLine);
        this.#batchBytes += bytes;
      }
    }
    await this.#send();
    await this.#settle(0);
  }

  /** Prints the summary and gives the exit code. */
  conclude(): number {
    const done = `${this.#doneCount} done, ${this.#unchangedCount} unchanged`;
    this.#output.print(`${this.#lineCount} lines: ${done}, ${this.#failedCount} failed`);
    if (this.failure !== undefined) {
      this.#output.complain(
        `wormgate: ${this.failure.message}; the run of ${this.#file} ended early`,
      );
      return this.failure.exitCode;
    }
    return this.#failedCount > 0 ? 1 : 0;
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#batchBytes = envelopeBytes;
    this.#inFlight.push(this.#exchange(batch));
    await this.#settle(batchesInFlightMax - 1);
  }

  /** Waits until at most `count` batches are on their way. */
  async #settle(count: number): Promise<void> {
    while (this.#inFlight.length > count) await this.#inFlight.shift();
  }

  async #exchange(batch: readonly NcfLine[]): Promise<void> {
    const lines = batch.map(({ text }) => text);
    const answer = await this.#client.send(lines, 'ncf');
    if (!answer.ok) {
      this.failure ??= answer;
      return;
    }
    for (const [index, reply] of answer.replies.entries()) {
      const { line } = batch[index]!;
      if (!reply.ok) this.#fail(line, reply.text);
      else if (reply.unchanged === true) this.#unchangedCount += 1;
      else this.#doneCount += 1;
      // A table was asked for to be read.
      if (reply.ok && reply.text.includes('\n')) this.#output.print(reply.text);
    }
  }

  #fail(line: number, message: string): void {
    this.#failedCount += 1;
    this.#output.complain(`${this.#file}:${line}: ${message}`);
  }
}

/** Runs a script; the exit code is as docs/operations.md says. */
export async function runScript(
  file: string,
  client: ConsoleClient,
  output: Output,
): Promise<number> {
  const run = new ScriptRun(file, client, output);
  try {
    await run.carryOut();
  } catch (error) {
    output.complain(`wormgate: ${file}: ${describeFileError(error)}`);
    return 1;
  }
  return run.conclude();
}
