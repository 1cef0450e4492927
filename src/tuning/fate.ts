/** What becomes of the lines of a log in a replay: the words for it. Pure. */

/** Why a request is blocked, with what the report says of it. */
export const blockReasons = {
  pattern: 'a pattern of the configuration',
  learned: 'a pattern that was learned',
  keyword: 'a confirmed keyword',
  source: 'its source was blocked',
  refused: 'no request of HTTP, answered 400',
} as const;

export type BlockReason = keyof typeof blockReasons;

/**
 * Why a line is let pass. `served`: answered below 400; `miss`: counted for its source; `referred`,
 * `excepted`, `once-served`: a miss but for that; `humble`: any other request.
 */
export type PassReason =
  | 'served'
  | 'humble'
  | 'miss'
  | 'referred'
  | 'excepted'
  | 'once-served'
  | 'never-block'
  | 'no-request'
  | 'note'
  | 'malformed'
  | 'empty';

/** What became of the request replayed last. Text is printable ASCII. */
export type Fate =
  | { readonly isBlocked: false; readonly reason: PassReason }
  | { readonly isBlocked: true; readonly reason: BlockReason; readonly detail: string };

const refused = { isBlocked: true, reason: 'refused', detail: '' } as const;
const without = { isBlocked: false, reason: 'no-request' } as const;
const badRequest = 400;

/**
 * A line whose request is none, by its status. What is no HTTP the server refuses by itself; a connection
 * that ended before it sent anything, as browsers open them in advance, has asked for nothing.
 */
export function fateWithoutRequest(isEmpty: boolean, status: number): Fate {
  return isEmpty && status !== badRequest ? without : refused;
}
