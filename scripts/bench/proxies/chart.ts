/**
 * Bars as SVG text: CPU time a request, one group a scenario, each with a scale of its own. Readable
 * on light and dark pages. Pure.
 */

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Drawn in the colour of wormgate. */
  readonly isOurs: boolean;
}

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const width = 760;
const labelWidth = 230;
const barsWidth = 410;
const rowHeight = 20;
const barHeight = 13;
const groupGap = 18;
const titleHeight = 26;
const margin = 14;

const style = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; font-size: 13px; }
    .peer { fill: #8c959f; }
    .ours { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .peer { fill: #6e7681; }
      .ours { fill: #4493f8; }
    }
  `;

/** For text and attributes of XML. */
export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/**
 * The value at which bars end. One that is far longer than the others would leave nothing of them: it
 * is cut, and says so.
 */
export function scaleEnd(values: readonly number[]): number {
  const [largest = 1, next = largest] = [...values].sort((a, b) => b - a);
  return largest > next * 2.5 ? next * 1.25 : largest;
}

function drawBar(bar: Bar, end: number, y: number): string {
  const isCut = bar.value > end;
  const length = Math.max((Math.min(bar.value, end) / end) * barsWidth, 1);
  const middle = y + rowHeight / 2;
  const value = `${bar.value.toFixed(bar.value < 100 ? 1 : 0)} µs${isCut ? ', bar cut' : ''}`;
  return [
    `  <text x="${labelWidth - 8}" y="${middle}" dy="0.35em" text-anchor="end">${escapeXml(bar.label)}</text>`,
    `  <rect class="${bar.isOurs ? 'ours' : 'peer'}" x="${labelWidth}" y="${y + (rowHeight - barHeight) / 2}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    `  <text x="${(labelWidth + length + 6).toFixed(1)}" y="${middle}" dy="0.35em">${value}</text>`,
  ].join('\n');
}

/** The whole drawing. */
export function drawChart(title: string, groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = margin + titleHeight;
  for (const group of groups) {
    parts.push(
      `  <text class="title" x="${labelWidth}" y="${y + 14}">${escapeXml(group.title)}</text>`,
    );
    y += titleHeight;
    const end = scaleEnd(group.bars.map(({ value }) => value));
    for (const bar of group.bars) {
      parts.push(drawBar(bar, end, y));
      y += rowHeight;
    }
    y += groupGap;
  }
  const height = y + margin - groupGap;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
  <style>${style}</style>
  <text class="title" x="${margin}" y="${margin + 12}">${escapeXml(title)}</text>
${parts.join('\n')}
</svg>
`;
}
