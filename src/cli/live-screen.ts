/**
 * The Virus Pattern Configuration screen on a terminal: drawn anew every second, scrolled by keys when it
 * is longer than the terminal, until a key ends it. It is drawn on the terminal's alternate screen, so
 * that what was there before comes back, whatever ends it. What is on it is screen.ts. Uses no colours.
 */
import type { ConsoleScreen } from '../admin/console-client.ts';
import { renderScreen } from '../admin/screen.ts';
import type { Clock } from '../clock.ts';
import { type Key, KeyDecoder } from './keys.ts';

const periodMs = 1000;
/** So long the rest of a key's sequence is waited for. */
const escapeDelayMs = 50;
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

/** The smallest terminal that is drawn for; a terminal that tells no size counts as 80 by 24. */
const columnsMin = 20;
const rowsMin = 4;

const endingSignals = { SIGTERM: 15, SIGHUP: 1 } as const;

/** What is shown of a screen that may be longer than the terminal. */
export interface View {
  readonly lines: readonly string[];
  /** The first line shown, from 0; never so far down that rows stay empty. */
  readonly top: number;
}

/** The part of `content` that a terminal of the given size shows, and a last line with the keys. */
export function viewOf(
  content: readonly string[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
  wantedTop: number,
): View {
  const room = rows - 1;
  const top = Math.max(0, Math.min(wantedTop, content.length - room));
  const shown = content.slice(top, top + room);
  return { lines: [...shown, statusLine(content.length, top, shown.length, columns)], top };
}

function statusLine(total: number, top: number, shown: number, columns: number): string {
  const where = `lines ${top + 1}-${top + shown} of ${total}`;
  const choices =
    shown === total
      ? ['q: back to the menu', 'q: back']
      : [
          `q: back to the menu   PgUp, PgDn, arrows: scroll   ${where}`,
          `q: back  PgUp PgDn  ${where}`,
          `q: back ${top + 1}-${top + shown}/${total}`,
          'q: back',
        ];
  return choices.find((each) => each.length <= columns) ?? 'q';
}

/** Where a key leads to from `top`, when `room` lines are shown. */
export function scrolled(key: Key, top: number, room: number): number {
  switch (key) {
    case 'page-down':
      return top + room;
    case 'page-up':
      return top - room;
    case 'down':
      return top + 1;
    case 'up':
      return top - 1;
    case 'home':
      return 0;
    case 'end':
      return Number.MAX_SAFE_INTEGER;
    default:
      return top;
  }
}

interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

class LiveScreen {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #decoder = new KeyDecoder();
  #isOver = false;
  #top = 0;
  #latest: (ConsoleScreen & { ok: true }) | undefined;
  #wake = () => {};

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  async run(
    fetch: () => Promise<ConsoleScreen>,
  ): Promise<(ConsoleScreen & { ok: false }) | undefined> {
    while (!this.#isOver) {
      const screen = await fetch();
      if (!screen.ok) return screen;
      this.#latest = screen;
      this.#draw();
      await new Promise<void>((done) => {
        this.#wake = done;
        if (this.#isOver) done();
        this.#clock.after(periodMs, done);
      });
    }
    return undefined;
  }

  readonly onData = (chunk: Buffer): void => {
    this.#obey(this.#decoder.push(chunk.toString('latin1')));
    if (!this.#decoder.isWaiting) return;
    this.#clock.after(escapeDelayMs, () => this.#obey(this.#decoder.giveUp()));
  };

  readonly onResize = (): void => this.#draw();

  readonly end = (): void => {
    this.#isOver = true;
    this.#wake();
  };

  get #size() {
    const { columns, rows } = this.#terminal.output;
    return { columns: Math.max(columns || 80, columnsMin), rows: Math.max(rows || 24, rowsMin) };
  }

  #obey(keys: readonly Key[]): void {
    const before = this.#top;
    for (const key of keys) {
      if (key === 'quit') return this.end();
      this.#top = Math.max(0, scrolled(key, this.#top, this.#size.rows - 1));
    }
    if (this.#top !== before) this.#draw();
  }

  #draw(): void {
    if (this.#latest === undefined || this.#isOver) return;
    const size = this.#size;
    const content = renderScreen(this.#latest.snapshot, { ...size, rows: size.rows - 1 });
    const view = viewOf(content, size, this.#top);
    this.#top = view.top;
    const text = view.lines.map((line) => `${line}${clearLine}`).join('\r\n');
    this.#terminal.output.write(`${home}${text}${clearBelow}`);
  }
}

/**
 * Shows the screen until a key ends it, then gives undefined; or gives the failure that ended it.
 * `input` must not be read by anyone else meanwhile.
 */
export async function showLiveScreen(
  terminal: Terminal,
  clock: Clock,
  fetch: () => Promise<ConsoleScreen>,
): Promise<(ConsoleScreen & { ok: false }) | undefined> {
  const { input, output } = terminal;
  const screen = new LiveScreen(terminal, clock);
  const onSignal = (signal: keyof typeof endingSignals) => {
    output.write(leave);
    process.exit(128 + endingSignals[signal]);
  };
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  input.setRawMode(true);
  input.on('data', screen.onData);
  input.on('end', screen.end);
  input.resume();
  output.on('resize', screen.onResize);
  output.write(enter);
  try {
    return await screen.run(fetch);
  } finally {
    output.write(leave);
    output.off('resize', screen.onResize);
    input.off('data', screen.onData);
    input.off('end', screen.end);
    input.pause();
    input.setRawMode(false);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  }
}
