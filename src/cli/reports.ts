// `report`: what the time series say about a span, for people, programs and spreadsheets.
import type { ReportAnswer } from '../readmodel/answers.ts';
import { csvOf, type ReportRow } from '../readmodel/reports/report.ts';
import { showing, type Command } from './command.ts';
import { exits } from './exit.ts';
import { filtersOf } from './filters.ts';
import { formOf, printList, type Column } from './table.ts';
import { data, plain } from './terminal.ts';
import { spanOf } from '../core/time.ts';

const columns: readonly Column<ReportRow>[] = [
  { head: 'ABOUT', cell: ({ about }) => about },
  { head: 'FIGURE', cell: ({ figure }) => figure },
  { head: 'VALUE', cell: valueOf },
  { head: 'OF', cell: ({ of }) => (of === null ? '' : String(of)) },
  {
    head: 'INCIDENTS',
    cell: ({ incidents }) => incidents.slice(0, 3).join(' ') + (incidents.length > 3 ? ` and ${incidents.length - 3} more` : ''),
  },
];

function valueOf({ value, unit, upper }: ReportRow): string {
  if (value === null) return '';
  if (unit === 'seconds') return spanOf(value * 1_000);
  if (unit === 'share') return `${(value * 100).toFixed(1)} %${upper === null ? '' : ` (below ${(upper * 100).toFixed(1)} %)`}`;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`;
}

export const reportCommands: readonly Command[] = [
  {
    words: 'report',
    args: 'summary|rules|people|playbooks',
    least: 1,
    most: 1,
    says: 'what happened in the last seven days: pages avoided, times to resolve, noisy rules, missing playbooks',
    more: [
      'summary: pages, pages avoided, hours saved, wrong actions, mean times with and without a playbook.',
      'rules: how often each fired, ended by itself, was healed; the one that misses a playbook most comes first.',
      'people: pages of whoever took them. playbooks: what each did, and how often it was wrong.',
      'quench report rules --since 30d --csv > rules.csv',
    ],
    options: [...showing, 'since', 'until', 'csv', 'zone'],
    async run(call) {
      const { given, terminal, args } = call;
      const zone = given.text('zone');
      const query = new URLSearchParams(
        filtersOf(given, ['since', 'until'], terminal.clock.now()).map(([name, text]): [string, string] => [name, text]),
      );
      if (zone !== undefined) query.set('zone', zone);
      const found = await call
        .api()
        .get<ReportAnswer>(`/api/v1/reports/${encodeURIComponent(args[0] ?? '')}?${query.toString()}`, ['rows']);
      if (given.has('csv') && formOf(given) === 'table')
        for (const line of csvOf(found.rows).trimEnd().split('\r\n')) data(terminal, plain(line));
      else
        printList(terminal, given, {
          items: found.rows,
          columns,
          whole: found,
          id: ({ about, figure }) => (about === '' ? figure : about),
        });
      return exits.ok;
    },
  },
];
