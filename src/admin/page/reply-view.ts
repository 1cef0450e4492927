/** The reply to the last command, where eyes and screen readers find it. */
import type { Reply } from '../reply.ts';
import { byId, make } from './dom.ts';
import { runCommand } from './server.ts';

const shownMs = 12_000;

let timer: ReturnType<typeof setTimeout> | undefined;

export function showReply({ ok, text }: Reply): void {
  byId('reply', HTMLElement).replaceChildren(make('span', { class: ok ? 'good' : 'bad' }, text));
  clearTimeout(timer);
  timer = setTimeout(() => byId('reply', HTMLElement).replaceChildren(), shownMs);
}

/** Carries a command out and shows its reply; whether it was carried out. */
export async function command(line: string): Promise<boolean> {
  const reply = await runCommand(line);
  showReply({ ...reply, text: `${line}\n${reply.text}` });
  return reply.ok;
}

/** A string of the console's grammar: what is typed may hold its escapes, as `\x90`. */
export function quoted(typed: string): string {
  const escaped = typed.replace(/\\(?:x[0-9a-f]{2}|["\\])|["\\]/gi, (piece) =>
    piece.length > 1 ? piece : `\\${piece}`,
  );
  return `"${escaped}"`;
}
