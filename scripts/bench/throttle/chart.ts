/**
 * The spread as SVG text: a panel for each number of hosts, the infected share over time, a line for
 * each share that is throttled. Readable on light and dark pages. Pure.
 */
import { escapeXml } from '../proxies/chart.ts';
import { gridMinutes, paperMinutes, type ShareResult, type SpreadResult } from './curves.ts';

const width = 760;
const margin = 14;
const left = 58;
const plotWidth = width - left - 74;
const plotHeight = 220;
const titleHeight = 30;
/** Below a panel: the numbers of the axis and its title. */
const axisHeight = 58;
const panelHeight = titleHeight + plotHeight + axisHeight;
const lastMinute = gridMinutes.at(-1) ?? 0;

/** At which infected share a line is labelled: each lower than the one before, so that none meet. */
const labelHeights = [0.93, 0.78, 0.55, 0.3];

const style = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; font-size: 13px; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    .mark { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 4 4; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .label { font-weight: 600; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
    .l0 { stroke: #cf222e; } .t0 { fill: #cf222e; }
    .l1 { stroke: #bc4c00; } .t1 { fill: #bc4c00; }
    .l2 { stroke: #8250df; } .t2 { fill: #8250df; }
    .l3 { stroke: #0969da; } .t3 { fill: #0969da; }
    .l4 { stroke: #1a7f37; } .t4 { fill: #1a7f37; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .grid { stroke: #30363d; }
      .mark { stroke: #8b949e; }
      .label { stroke: #0d1117; }
      .l0 { stroke: #ff7b72; } .t0 { fill: #ff7b72; }
      .l1 { stroke: #f0883e; } .t1 { fill: #f0883e; }
      .l2 { stroke: #bc8cff; } .t2 { fill: #bc8cff; }
      .l3 { stroke: #58a6ff; } .t3 { fill: #58a6ff; }
      .l4 { stroke: #56d364; } .t4 { fill: #56d364; }
    }
  `;

function xOf(minutes: number): number {
  return left + (minutes / lastMinute) * plotWidth;
}

function yOf(share: number, top: number): number {
  return top + (1 - share) * plotHeight;
}

function drawGrid(top: number): string[] {
  const parts: string[] = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const y = yOf(share, top);
    parts.push(
      `  <line class="grid" x1="${left}" y1="${y}" x2="${left + plotWidth}" y2="${y}"/>`,
      `  <text x="${left - 8}" y="${y}" dy="0.35em" text-anchor="end">${share * 100} %</text>`,
    );
  }
  for (let minutes = 0; minutes <= lastMinute; minutes += 10) {
    const y = top + plotHeight + 18;
    parts.push(
      `  <text x="${xOf(minutes).toFixed(1)}" y="${y}" text-anchor="middle">${minutes}</text>`,
    );
  }
  const markX = xOf(paperMinutes).toFixed(1);
  parts.push(
    `  <line class="mark" x1="${markX}" y1="${top}" x2="${markX}" y2="${top + plotHeight}"/>`,
    `  <text x="${left + plotWidth / 2}" y="${top + plotHeight + 38}" text-anchor="middle">minutes since the first infection</text>`,
  );
  return parts;
}

/** Beside the curve where it passes the height, or at its end when it stays below. */
function drawLabel(share: ShareResult, index: number, top: number): string {
  const height = labelHeights[index] ?? 1;
  const after = share.curve.findIndex((value) => value >= height);
  const text = `${share.throttledShare * 100} %`;
  if (after <= 0) {
    const y = yOf(share.curve.at(-1) ?? 0, top);
    return `  <text class="label t${index}" x="${left + plotWidth + 8}" y="${y.toFixed(1)}" dy="0.35em">${text}</text>`;
  }
  const low = share.curve[after - 1] as number;
  const high = share.curve[after] as number;
  const from = gridMinutes[after - 1] as number;
  const to = gridMinutes[after] as number;
  const x = xOf(from + ((height - low) / (high - low)) * (to - from)) + 5;
  const y = (yOf(height, top) + 10).toFixed(1);
  return `  <text class="label t${index}" x="${x.toFixed(1)}" y="${y}" dy="0.35em">${text}</text>`;
}

function drawPanel({ hostCount, shares }: SpreadResult, y: number): string {
  const top = y + titleHeight;
  const lines = shares.map(({ curve }, index) => {
    const points = curve.map((share, at) => {
      return `${xOf(gridMinutes[at] as number).toFixed(1)},${yOf(share, top).toFixed(1)}`;
    });
    return `  <polyline class="line l${index}" points="${points.join(' ')}"/>`;
  });
  return [
    `  <text class="title" x="${left}" y="${y + 18}">${hostCount.toLocaleString('en')} hosts</text>`,
    ...drawGrid(top),
    ...lines,
    ...shares.map((share, index) => drawLabel(share, index, top)),
  ].join('\n');
}

/** The whole drawing. */
export function drawSpread(title: string, results: readonly SpreadResult[]): string {
  const begin = margin + 20;
  const panels = results.map((result, index) => drawPanel(result, begin + index * panelHeight));
  const height = begin + results.length * panelHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
  <style>${style}</style>
  <text class="title" x="${margin}" y="${margin + 12}">${escapeXml(title)}</text>
${panels.join('\n')}
</svg>
`;
}
