/** Who clears away what a test has started: one test (its context) or a whole file (node:test itself). */
export interface Cleanup {
  /** Registers what is done when the test, or the file, is over. */
  after(action: () => unknown): void;
}
