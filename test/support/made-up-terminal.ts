/** A terminal that the screen is drawn on, made up of streams, with a clock that is turned by hand. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ConsoleScreen } from '../../src/admin/console-client.ts';
import { showLiveScreen } from '../../src/cli/live-screen.ts';
import { sampleSnapshot } from './console-context.ts';
import { HandClock } from './hand-clock.ts';

export class MadeUpTerminal {
  readonly clock = new HandClock();
  readonly input = Object.assign(new PassThrough(), {
    isRaw: false,
    setRawMode(isRaw: boolean) {
      this.isRaw = isRaw;
    },
  });
  readonly output = Object.assign(new EventEmitter(), {
    columns: 80,
    rows: 24,
    written: '',
    write(text: string) {
      this.written += text;
      return true;
    },
  });
  answers = 0;
  answer: () => ConsoleScreen = () => ({
    ok: true,
    snapshot: { ...sampleSnapshot, virusRequests: 1_000 + this.answers },
  });

  show() {
    return showLiveScreen(
      {
        input: this.input as unknown as NodeJS.ReadStream,
        output: this.output as unknown as NodeJS.WriteStream,
      },
      this.clock,
      async () => {
        this.answers += 1;
        return this.answer();
      },
    );
  }

  /** Lets what has been asked for happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async press(bytes: string): Promise<void> {
    this.input.write(bytes);
    await this.settle();
  }

  /** The lines drawn last. */
  get lines(): string[] {
    const drawn = this.output.written.split('\x1b[H').at(-1) ?? '';
    return drawn.split('\r\n').map((line) => line.split('\x1b[')[0] ?? '');
  }
}
