/** What the console answers to one line. */

/** `text` is printable ASCII, in one line or the lines of a table. */
export interface Reply {
  readonly ok: boolean;
  readonly text: string;
  /** Present when the database already was as asked. */
  readonly unchanged?: true;
}
