// Lists and documents on stdout: a table for people, JSON for programs, ids for pipes.
import type { Doc } from './client.ts';
import { spanOf } from '../core/time.ts';
import type { Given } from './options.ts';
import { data, painted, plain, plainJson, type Colour, type Terminal } from './terminal.ts';

export interface Column {
  readonly head: string;
  readonly cell: (doc: Doc, now: number) => string;
  readonly colour?: (doc: Doc) => Colour | null;
}

export type Form = 'table' | 'json' | 'name';

export function formOf(given: Given): Form {
  if (given.has('quiet')) return 'name';
  const form = given.text('output');
  return form === 'json' || form === 'name' ? form : 'table';
}

/** Prints documents in the form that was asked for; `whole` is what JSON shows. */
export function printList(
  terminal: Terminal,
  given: Given,
  list: { readonly docs: readonly Doc[]; readonly columns: readonly Column[]; readonly whole: unknown; readonly id?: (doc: Doc) => string },
): void {
  const { docs, columns, whole, id = (doc) => textAt(doc, 'id') } = list;
  switch (formOf(given)) {
    case 'json':
      return data(terminal, plainJson(whole));
    case 'name':
      for (const doc of docs) data(terminal, plain(id(doc)));
      return;
    case 'table':
      printTable(terminal, docs, columns, !given.has('no-header'));
  }
}

function printTable(terminal: Terminal, docs: readonly Doc[], columns: readonly Column[], header: boolean): void {
  if (docs.length === 0) return;
  const now = terminal.clock.now();
  const rows = docs.map((doc) => columns.map((column) => plain(column.cell(doc, now)) || '-'));
  const heads = columns.map(({ head }) => head);
  const widths = columns.map((_, place) => Math.max(...[...(header ? [heads] : []), ...rows].map((row) => widthOf(row[place] ?? ''))));
  if (header) data(terminal, painted(terminal, 'dim', fitted(terminal, heads, widths).join('  ').trimEnd()));
  rows.forEach((row, index) => {
    const doc = docs[index] ?? {};
    const cells = fitted(terminal, row, widths).map((cell, place) => painted(terminal, columns[place]?.colour?.(doc) ?? null, cell));
    data(terminal, cells.join('  ').trimEnd());
  });
}

/** Cells padded to their columns; on a terminal the last one is cut to what is left of the line. */
function fitted({ stdout }: Terminal, row: readonly string[], widths: readonly number[]): readonly string[] {
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = stdout.isTTY === true && stdout.columns !== undefined ? Math.max(20, stdout.columns - before) : Number.POSITIVE_INFINITY;
  return row.map((cell, place) => {
    if (place < row.length - 1) return cell + ' '.repeat((widths[place] ?? 0) - widthOf(cell));
    return widthOf(cell) > room ? `${[...cell].slice(0, room - 1).join('')}…` : cell;
  });
}

function widthOf(text: string): number {
  return [...text].length;
}

// ---------------------------------------------------------------- members of documents

export function textAt(doc: Doc, name: string): string {
  const value = Object.hasOwn(doc, name) ? doc[name] : undefined;
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function numberAt(doc: Doc, name: string): number | null {
  const value = doc[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function docAt(doc: Doc, name: string): Doc {
  const value = doc[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Doc) : {};
}

export function docsAt(doc: Doc, name: string): readonly Doc[] {
  const value = doc[name];
  return Array.isArray(value) ? value.filter((one): one is Doc => typeof one === 'object' && one !== null) : [];
}

/** `5m ago`, `in 2h`; '' when there is no such time. */
export function agoAt(doc: Doc, name: string, now: number): string {
  const at = numberAt(doc, name);
  if (at === null) return '';
  return at > now ? `in ${shortSpan(at - now)}` : `${shortSpan(now - at)} ago`;
}

/** The two largest units: `1h30m`, `2d4h`, `45s`. */
export function shortSpan(span: number): string {
  if (span < 1_000) return '0s';
  return /^\d+[a-z]+(\d+[a-z]+)?/.exec(spanOf(span))?.[0] ?? '0s';
}

/** `2026-11-21 04:00:00Z`. */
export function clockOf(at: number | null): string {
  if (at === null || Math.abs(at) > 8_640_000_000_000_000) return '';
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

const good: ReadonlySet<string> = new Set(['resolved', 'cleared', 'succeeded', 'closed', 'ready', 'accepted', 'noop']);
const bad: ReadonlySet<string> = new Set([
  'open',
  'firing',
  'ringing',
  'failed',
  'stuck',
  'unknown',
  'critical',
  'refused',
  'rolled-back',
  'denied',
  'expired',
]);

/** Red for what needs somebody, green for what is over, yellow for what is on its way. */
export function colourOf(word: string): Colour | null {
  if (good.has(word)) return 'green';
  if (bad.has(word)) return 'red';
  return word === 'info' || word === '' ? null : 'yellow';
}
