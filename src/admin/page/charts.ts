/** The charts of the page. The only file that imports uPlot. */
import uPlot from 'uplot';
import type { Rates } from './rates.ts';

export interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly dash?: readonly number[];
}

const heightPx = 160;

/** `HH:MM:SS`, UTC as in the logs. */
function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

/** A chart of lines over time in `place`, as wide as that. */
export class Chart {
  readonly #place: HTMLElement;
  readonly #plot: uPlot;

  constructor(place: HTMLElement, lines: readonly Line[]) {
    this.#place = place;
    const color = (name: string) => () => getComputedStyle(place).getPropertyValue(name).trim();
    const axis = { stroke: color('--ink'), grid: { stroke: color('--rule'), width: 1 } };
    this.#plot = new uPlot(
      {
        width: place.clientWidth,
        height: heightPx,
        legend: {
          markers: {
            // The names of the colours: the legend is drawn once, and follows a change of the scheme.
            stroke: (_plot, index) => `var(${lines[index - 1]?.color ?? '--ink'})`,
            dash: (_plot, index) => (lines[index - 1]?.dash === undefined ? 'solid' : 'dashed'),
          },
        },
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          { ...axis, space: 80, values: (_plot, times) => times.map(clockTime) },
          { ...axis, size: 48 },
        ],
        series: [
          {
            label: 'UTC',
            value: (_plot, seconds) => (seconds === null ? '-' : clockTime(seconds)),
          },
          ...lines.map((line) => ({
            label: line.label,
            stroke: color(line.color),
            width: 2,
            points: { show: false },
            ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
          })),
        ],
      },
      [[], ...lines.map(() => [])],
      place,
    );
    new ResizeObserver(() => this.#fit()).observe(place);
  }

  draw({ times, series }: Rates): void {
    this.#plot.setData([[...times], ...series.map((values) => [...values])]);
  }

  /** After the colours have changed. */
  redraw(): void {
    this.#plot.redraw();
  }

  #fit(): void {
    this.#plot.setSize({ width: this.#place.clientWidth, height: heightPx });
  }
}
