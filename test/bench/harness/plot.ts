/** A group of bars that stand side by side. */
export interface PlotGroup {
  label: string;
  bars: PlotBar[];
}

export interface PlotBar {
  /** Decides the colour; the same in all groups. */
  series: string;
  value: number;
  low: number;
  high: number;
}

export interface Plot {
  title: string;
  /** What the values are, such as `seconds (median; whiskers: fastest and slowest)`. */
  axis: string;
  /** Order of the legend and of the colours; series that no group has are left out. */
  series: string[];
  /** The series that the others are seen against, drawn in grey. */
  reference: string;
  groups: PlotGroup[];
}

/** Tells the series apart on white and on dark, also for most who do not see all colours (Okabe and Ito). */
const COLOURS = ['#0b84c6', '#e69f00', '#cc79a7', '#009e73', '#d55e00'];
/** For what is only there to compare with. */
const GREY = '#8a8f98';
const CHARACTER = 7.2;
const BAR = 30;
const GAP = 34;
const HEIGHT = 260;
const LEFT = 52;
const TOP = 70;

const STYLE = `
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .axis, .tick, .value { fill: #57606a; }
  .value { font-size: 11px; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .base, .whisker { stroke: #57606a; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .axis, .tick, .value { fill: #9da7b3; }
    .grid { stroke: #30363d; }
    .base, .whisker { stroke: #9da7b3; }
  }`;

/** Grouped bars from zero, as a drawing that reads on light and dark pages. */
export function toSvg(plot: Plot): string {
  const present = new Set(plot.groups.flatMap(({ bars }) => bars.map((bar) => bar.series)));
  const colours = plot.series.filter((name) => name !== plot.reference);
  const colour = (name: string) =>
    name === plot.reference ? GREY : COLOURS[colours.indexOf(name) % COLOURS.length]!;
  const step = niceStep(Math.max(...plot.groups.flatMap(({ bars }) => bars.map(({ high }) => high))) / 5);
  const top =
    step * Math.ceil(Math.max(...plot.groups.flatMap(({ bars }) => bars.map((b) => b.high))) / step);
  const y = (value: number) => TOP + HEIGHT - (value / top) * HEIGHT;
  const bars: string[] = [];
  let x = LEFT + GAP / 2;
  for (const group of plot.groups) {
    const width = group.bars.length * BAR;
    const slot = Math.max(width, group.label.length * CHARACTER);
    for (const [index, bar] of group.bars.entries()) {
      bars.push(drawBar(bar, x + (slot - width) / 2 + index * BAR, y, colour(bar.series)));
    }
    bars.push(text(x + slot / 2, TOP + HEIGHT + 20, group.label, 'label', 'middle'));
    x += slot + GAP;
  }
  const legend = drawLegend(
    plot.series.filter((name) => present.has(name)),
    colour,
  );
  const width = Math.ceil(Math.max(x - GAP / 2 + 12, legend.width));
  const grid: string[] = [];
  for (let value = 0; value <= top + step / 2; value += step) {
    const kind = value === 0 ? 'base' : 'grid';
    grid.push(`<line class="${kind}" x1="${LEFT}" x2="${width - 12}" y1="${y(value)}" y2="${y(value)}"/>`);
    grid.push(text(LEFT - 8, y(value) + 4, String(Number(value.toFixed(3))), 'tick', 'end'));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${TOP + HEIGHT + 38}" width="${width}" height="${TOP + HEIGHT + 38}" role="img" aria-label="${escapeXml(plot.title)}">
<style>${STYLE}
</style>
${text(12, 22, plot.title, 'title', 'start')}
${legend.drawing}
${text(12, 62, plot.axis, 'axis', 'start')}
${grid.join('\n')}
${bars.join('\n')}
</svg>
`;
}

function drawBar(bar: PlotBar, x: number, y: (value: number) => number, colour: string): string {
  const middle = x + BAR / 2;
  const top = y(bar.value);
  const height = Math.max(y(0) - top, 0.5);
  const whisker =
    bar.high > bar.low
      ? `<line class="whisker" x1="${middle}" x2="${middle}" y1="${y(bar.low)}" y2="${y(bar.high)}"/>`
      : '';
  const hint = `<title>${escapeXml(`${bar.series}: ${bar.value.toFixed(2)} (${bar.low.toFixed(2)} - ${bar.high.toFixed(2)})`)}</title>`;
  return `<g>${hint}<rect x="${x + 2}" y="${top}" width="${BAR - 4}" height="${height}" rx="1.5" fill="${colour}"/>${whisker}${text(middle, y(bar.high) - 4, shortNumber(bar.value), 'value', 'middle')}</g>`;
}

function drawLegend(series: string[], colour: (name: string) => string): { drawing: string; width: number } {
  let x = 12;
  const entries = series.map((name) => {
    const entry = `<rect x="${x}" y="33" width="11" height="11" rx="2" fill="${colour(name)}"/>${text(x + 16, 43, name, 'legend', 'start')}`;
    x += Math.ceil(34 + name.length * CHARACTER);
    return entry;
  });
  return { drawing: entries.join('\n'), width: x };
}

function text(x: number, y: number, content: string, kind: string, anchor: string): string {
  return `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

/** 1, 2 or 5 times a power of ten, not under the value. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((factor) => factor * power >= value) ?? 10);
}

function shortNumber(value: number): string {
  return value >= 9.95 ? value.toFixed(1) : value.toFixed(2);
}

function escapeXml(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
