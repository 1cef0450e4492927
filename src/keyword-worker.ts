/**
 * The thread of the keyword check (the paper: "scheduled for further analysis via a background
 * process"): looks for virus keywords in suspect requests. Holds the list it was sent last.
 */
import { parentPort } from 'node:worker_threads';
import { KeywordSearch } from './virus/keyword-search.ts';

/** What the thread is told; text is latin1, one character a byte. */
export type WorkerTask =
  | { readonly kind: 'keywords'; readonly keywords: readonly string[] }
  | { readonly kind: 'check'; readonly id: number; readonly requestString: string };

/** Its answer to a check: a keyword that the request holds, if it holds one. */
export interface WorkerAnswer {
  readonly id: number;
  readonly keyword: string | undefined;
}

let keywords: readonly string[] = [];
let search = new KeywordSearch(keywords);

parentPort?.on('message', (task: WorkerTask) => {
  if (task.kind === 'keywords') {
    keywords = task.keywords;
    search = new KeywordSearch(keywords);
    return;
  }
  const index = search.findInRequest(task.requestString);
  const answer: WorkerAnswer = { id: task.id, keyword: keywords[index] };
  parentPort?.postMessage(answer);
});
