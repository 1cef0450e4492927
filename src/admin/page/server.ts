/** The admin server, as the page asks it. */
import type { Figures } from '../figures.ts';
import type { Reply } from '../reply.ts';
import type { SourcesView, SourceView } from '../source-views.ts';
import type { KeywordView, PatternView, ProposalView, SettingView } from '../views.ts';

export type { Figures, KeywordView, PatternView, ProposalView, SettingView, SourceView };

/** What would become of a request line. */
export interface Inspection {
  readonly outcome: 'unknown' | 'refused' | 'pass' | 'slip' | 'drop' | 'detect' | 'never-block';
  readonly steps: readonly { readonly step: string; readonly finding: string }[];
}

/** Thrown when the server wants a token. */
export class LoginNeeded extends Error {}

async function ask(
  path: string,
  method: 'GET' | 'POST' | 'DELETE',
  body?: unknown,
): Promise<Response> {
  const answer = await fetch(path, {
    method,
    ...(method === 'GET' ? {} : { headers: { 'Content-Type': 'application/json' } }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status === 401) throw new LoginNeeded(await answer.text());
  if (!answer.ok) throw new Error(await explanationOf(answer));
  return answer;
}

async function explanationOf(answer: Response): Promise<string> {
  const text = (await answer.text()).trim();
  try {
    return String(JSON.parse(text).message);
  } catch {
    return text === '' ? `The server answered ${answer.status}.` : text;
  }
}

async function read<Value>(path: string): Promise<Value> {
  return (await (await ask(path, 'GET')).json()) as Value;
}

/** Carries out a console command. */
export async function runCommand(line: string): Promise<Reply> {
  const answer = await ask('/api/console', 'POST', { lines: [line] });
  const { replies } = (await answer.json()) as { replies: readonly Reply[] };
  return replies[0] ?? { ok: false, text: 'The server gave no reply.' };
}

export interface PatternsWanted {
  readonly search: string;
  readonly sort: string;
  readonly order: string;
  readonly from: number;
  readonly count: number;
}

export async function readPatterns(
  wanted: PatternsWanted,
): Promise<{ readonly patterns: readonly PatternView[]; readonly total: number }> {
  const query = new URLSearchParams(
    Object.entries(wanted).map(([name, value]) => [name, String(value)]),
  );
  return await read(`/api/patterns?${query}`);
}

export interface Lists {
  readonly proposals: readonly ProposalView[];
  readonly keywords: readonly KeywordView[];
  readonly counts: Readonly<Record<'patterns' | 'learned' | 'proposals' | 'keywords', number>>;
}

export async function readLists(): Promise<Lists> {
  return await read('/api/lists');
}

export async function readSources(): Promise<SourcesView> {
  return await read('/api/sources');
}

export async function readSettings(): Promise<readonly SettingView[]> {
  return (await read<{ settings: readonly SettingView[] }>('/api/settings')).settings;
}

export async function inspect(request: string): Promise<Inspection> {
  return (await (await ask('/api/inspect', 'POST', { request })).json()) as Inspection;
}

export async function logIn(token: string): Promise<void> {
  await ask('/api/session', 'POST', { token });
}

export async function logOut(): Promise<void> {
  await ask('/api/session', 'DELETE', {});
}

const retryMs = 3_000;

/** What is told of the connection. */
export interface Listener {
  /** Each second. */
  onFigures(figures: Figures): void;
  onState(isConnected: boolean): void;
  /** The session is over. */
  onLoginNeeded(): void;
}

/** Listens to the server, until it wants a token. */
export function listen(listener: Listener): void {
  const source = new EventSource('/api/events');
  source.addEventListener('figures', (event) => {
    listener.onState(true);
    listener.onFigures(JSON.parse(event.data) as Figures);
  });
  source.addEventListener('error', async () => {
    listener.onState(false);
    // The browser tries again by itself, but not after an answer that is no stream, such as 401 or 503.
    if (source.readyState !== EventSource.CLOSED) return;
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    const isLoginNeeded = await readLists().then(
      () => false,
      (error: unknown) => error instanceof LoginNeeded,
    );
    if (isLoginNeeded) listener.onLoginNeeded();
    else listen(listener);
  });
}
