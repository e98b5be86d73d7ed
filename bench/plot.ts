// Pictures of the benches: panels of lines over one x axis, as an SVG that reads on a light and on a dark page. Small on purpose: no dates, no stacking.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Values of x and y are read on a scale of powers. */
  readonly log?: boolean;
}

export interface Picture {
  readonly title: string;
  readonly xTitle: string;
  readonly panels: readonly Panel[];
  readonly logX?: boolean;
}

const width = 900;
const panelHeight = 190;
const gap = 34;
const left = 74;
const right = 170;
const top = 52;
const bottom = 46;
const colours = ['#2f7ed8', '#d9822b', '#3a9a5b', '#b5489a', '#7a6ff0', '#8a8d91'];

export function plot(path: string, { title, xTitle, panels, logX = false }: Picture): void {
  const height = top + panels.length * (panelHeight + gap) + bottom;
  const xs = panels.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(([x]) => x)));
  const x = scaleOf(xs, { from: left, to: width - right, log: logX, zero: !logX });
  const parts = panels.map((panel, place) => panelOf(panel, x, top + place * (panelHeight + gap)));
  const foot = top + panels.length * (panelHeight + gap) - gap + 4;
  const ticks = x.ticks.map((value) => text(x.at(value), foot + 14, short(value), 'middle')).join('');
  const style = `text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-weight:600;font-size:14px}.axis{stroke:#8b949e;stroke-opacity:.35}
    @media(prefers-color-scheme:dark){text{fill:#c9d1d9}}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"><title>${escaped(title)}</title><style>${style}</style>
${text(left, 24, title, 'start', 'title')}
${parts.join('\n')}
${ticks}${text((left + width - right) / 2, foot + 32, xTitle, 'middle')}
</svg>
`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, svg);
}

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

function scaleOf(
  values: readonly number[],
  { from, to, log, zero }: { readonly from: number; readonly to: number; readonly log: boolean; readonly zero: boolean },
): Scale {
  const high = Math.max(...values, log ? 1 : 0.001);
  const low = zero && !log ? 0 : Math.min(...values, high);
  if (log) {
    const bottomValue = Math.max(low, high / 1e5);
    const [a, b] = [Math.log10(bottomValue) - 0.02, Math.log10(high) + 0.05];
    const ticks: number[] = [];
    for (let power = Math.floor(a); power <= b; power += 1)
      for (const step of [1, 2, 5]) if (Math.log10(step) + power >= a && Math.log10(step) + power <= b) ticks.push(step * 10 ** power);
    return { ticks, at: (value) => from + ((Math.log10(Math.max(value, bottomValue)) - a) / (b - a || 1)) * (to - from) };
  }
  const step = niceStep((high - low) / 5);
  const end = Math.ceil(high / step) * step;
  const ticks = Array.from({ length: Math.round((end - low) / step) + 1 }, (_, place) => low + place * step);
  return { ticks, at: (value) => from + ((value - low) / (end - low || 1)) * (to - from) };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const fraction = rough / power;
  return power * (fraction <= 1 ? 1 : fraction <= 2 ? 2 : fraction <= 5 ? 5 : 10);
}

function panelOf({ title, unit, lines, log = false }: Panel, x: Scale, y0: number): string {
  const y = scaleOf(
    lines.flatMap(({ points }) => points.map(([, value]) => value)),
    { from: y0 + panelHeight, to: y0 + 22, log, zero: true },
  );
  const grid = y.ticks.map(
    (value) =>
      `<line class="axis" x1="${left}" x2="${width - right}" y1="${y.at(value).toFixed(1)}" y2="${y.at(value).toFixed(1)}"/>${text(left - 8, y.at(value) + 4, short(value), 'end')}`,
  );
  const drawn = lines.map(({ name, points }, place) => {
    const colour = colours[place % colours.length] ?? '#888';
    const path = points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x.at(px).toFixed(1)} ${y.at(py).toFixed(1)}`).join('');
    const dots =
      points.length <= 12
        ? points.map(([px, py]) => `<circle cx="${x.at(px).toFixed(1)}" cy="${y.at(py).toFixed(1)}" r="3" fill="${colour}"/>`).join('')
        : '';
    const key = y0 + 34 + place * 18;
    const mark = `<rect x="${width - right + 14}" y="${key - 9}" width="12" height="4" fill="${colour}"/>`;
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>${dots}${mark}${text(width - right + 32, key - 3, name, 'start')}`;
  });
  return `${text(left, y0 + 10, `${title}, ${unit}`, 'start', 'title')}${grid.join('')}${drawn.join('')}`;
}

function text(x: number, y: number, says: string, anchor: 'start' | 'middle' | 'end', kind = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${kind === '' ? '' : ` class="${kind}"`}>${escaped(says)}</text>`;
}

/** 12000 → 12 k, 0.25 → 0.25. */
function short(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))} M`;
  if (value >= 10_000) return `${Number((value / 1_000).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function escaped(says: string): string {
  return says.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
