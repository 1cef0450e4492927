/**
 * Where the commands write: text for the operator on stdout, complaints on stderr. Tests put their own
 * here.
 */

export interface Output {
  /** Writes a line, or several, to stdout. */
  print(text: string): void;
  /** Writes a line to stderr. */
  complain(text: string): void;
}

/** The process's own stdout and stderr. A reader that has gone (`… | head`) ends the process. */
export function processOutput(): Output {
  process.stdout.on('error', () => process.exit());
  process.stderr.on('error', () => process.exit());
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** For a command that goes on serving when nobody reads its output any more. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }
}
