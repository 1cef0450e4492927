/**
 * The Virus Pattern Configuration screen on a terminal: drawn anew every second until a key is
 * pressed. It is drawn on the terminal's alternate screen, so that what was there before comes back.
 * What is on it is screen.ts. Uses no colours.
 */
import type { ConsoleScreen } from '../admin/console-client.ts';
import { renderScreen } from '../admin/screen.ts';
import type { Clock } from '../clock.ts';

const periodMs = 1000;
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';
const hint = 'Press any key to return to the menu.';

/** The smallest terminal that is drawn for; a terminal that tells no size counts as 80 by 24. */
const columnsMin = 20;
const rowsMin = 5;

function draw(output: NodeJS.WriteStream, screen: ConsoleScreen & { ok: true }): void {
  const columns = Math.max(output.columns || 80, columnsMin);
  const rows = Math.max(output.rows || 24, rowsMin);
  const lines = renderScreen(screen.snapshot, { columns, rows: rows - 2 });
  const whole = [...lines, '', hint.slice(0, columns)];
  output.write(`${home}${whole.map((line) => `${line}${clearLine}`).join('\r\n')}${clearBelow}`);
}

/**
 * Shows the screen until a key is pressed, then gives undefined; or gives the failure that ended it.
 * `input` must not be read by anyone else meanwhile.
 */
export async function showLiveScreen(
  { input, output }: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream },
  clock: Clock,
  fetch: () => Promise<ConsoleScreen>,
): Promise<(ConsoleScreen & { ok: false }) | undefined> {
  let pressed = false;
  let wake = () => {};
  const onKey = () => {
    pressed = true;
    wake();
  };
  const onResize = () => wake();
  input.setRawMode(true);
  input.on('data', onKey);
  input.on('end', onKey);
  input.resume();
  output.on('resize', onResize);
  output.write(enter);
  try {
    while (!pressed) {
      const screen = await fetch();
      if (!screen.ok) return screen;
      draw(output, screen);
      await new Promise<void>((done) => {
        wake = done;
        if (pressed) done();
        clock.after(periodMs, done);
      });
    }
    return undefined;
  } finally {
    output.write(leave);
    output.off('resize', onResize);
    input.off('data', onKey);
    input.off('end', onKey);
    input.pause();
    input.setRawMode(false);
  }
}
