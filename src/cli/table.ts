// Lists and documents on stdout: a table for people, JSON for programs, ids for pipes.
import type { Severity } from '../core/alert/severity.ts';
import { ends, type Outcome } from '../core/run/ends.ts';
import type { LetterDocument, ReadyAnswer } from '../readmodel/answers.ts';
import type { DocumentKind, StateOf } from '../readmodel/documents.ts';
import { isOutcome } from './ends.ts';
import { spanOf, type Instant } from '../core/time.ts';
import type { Given } from './options.ts';
import { data, painted, plain, plainJson, type Colour, type Terminal } from './terminal.ts';

export interface Column<Item> {
  readonly head: string;
  /** '' is shown as a dash. */
  readonly cell: (item: Item, now: Instant) => string;
  readonly colour?: (item: Item) => Colour | null;
}

export type Form = 'table' | 'json' | 'name';

export function formOf(given: Given): Form {
  if (given.has('quiet')) return 'name';
  const form = given.text('output');
  return form === 'json' || form === 'name' ? form : 'table';
}

/** Prints items in the form that was asked for; `whole` is what JSON shows, `id` what stands for an item in a pipe. */
export function printList<Item>(
  terminal: Terminal,
  given: Given,
  list: {
    readonly items: readonly Item[];
    readonly columns: readonly Column<Item>[];
    readonly whole: object;
    readonly id: (item: Item) => string;
  },
): void {
  const { items, columns, whole, id } = list;
  const form = formOf(given);
  switch (form) {
    case 'json':
      return data(terminal, plainJson(whole));
    case 'name':
      for (const item of items) data(terminal, plain(id(item)));
      return;
    case 'table':
      return printTable(terminal, items, columns, !given.has('no-header'));
    default:
      form satisfies never;
  }
}

function printTable<Item>(terminal: Terminal, items: readonly Item[], columns: readonly Column<Item>[], header: boolean): void {
  if (items.length === 0) return;
  const now = terminal.clock.now();
  const rows = items.map((item) => columns.map((column) => plain(column.cell(item, now)) || '-'));
  const heads = columns.map(({ head }) => head);
  const widths = columns.map((_, place) => Math.max(...[...(header ? [heads] : []), ...rows].map((row) => widthOf(row[place] ?? ''))));
  if (header) data(terminal, painted(terminal, 'dim', fitted(terminal, heads, widths).join('  ').trimEnd()));
  for (const [index, item] of items.entries()) {
    const cells = fitted(terminal, rows[index] ?? [], widths).map((cell, place) =>
      painted(terminal, columns[place]?.colour?.(item) ?? null, cell),
    );
    data(terminal, cells.join('  ').trimEnd());
  }
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

// ---------------------------------------------------------------- words for cells

/** `5m ago`, `in 2h`; '' when there is no such time. */
export function ago(at: Instant | null, now: Instant): string {
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

type Word = StateOf<DocumentKind> | LetterDocument['state'] | ReadyAnswer['status'] | Severity;

/** Red for what needs somebody, green for what is over or well, yellow for what is on its way. */
const colours: { readonly [word in Word]: Colour | null } = {
  firing: 'red',
  cleared: 'green',
  open: 'red',
  acknowledged: 'yellow',
  resolved: 'green',
  working: 'yellow',
  waiting: 'yellow',
  ended: 'yellow',
  ringing: 'red',
  acked: 'yellow',
  closed: 'green',
  active: 'yellow',
  expired: 'yellow',
  frozen: 'yellow',
  replayed: 'green',
  discarded: 'yellow',
  ready: 'green',
  'not ready': 'yellow',
  draining: 'yellow',
  info: null,
  warning: 'yellow',
  error: 'yellow',
  critical: 'red',
};

/** Of a state or a severity; a newer gateway may have words that are not known here. */
export function colourOf(word: string): Colour | null {
  if (word === '') return null;
  return Object.hasOwn(colours, word) ? colours[word as Word] : 'yellow'; // a key of the table
}

/** Of the end of a run: green when it helped, red when a person is called, else yellow. */
export function endColour(end: Outcome | null): Colour | null {
  if (end === null || !isOutcome(end)) return null; // a newer gateway may know more
  const { helped, callsPerson } = ends[end];
  return helped ? 'green' : callsPerson ? 'red' : 'yellow';
}
