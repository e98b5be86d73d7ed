// Reports: figures about a span, counted from the points of time series, each with the incidents behind it. Pure; the same points, the same figures.
//   R1  A figure is counted from single points, never from sums: what it counts can be looked at, and counted again from the log.
//   R2  What is counted is what ended in the span (incidents, runs), or began in it (pages, alerts); by the gateway's clock.
import { hour, minute, type Instant, type Millis } from '../../core/time.ts';
import type { Point, PointOf } from '../series/point.ts';
import { noWord } from '../series/tags.ts';
import { isAtWork, upperOf } from './share.ts';

export const reportNames = ['summary', 'rules', 'people', 'playbooks'] as const;

export type ReportName = (typeof reportNames)[number];

export interface ReportRow {
  /** Whom or what it is about: a rule, a person, a playbook; empty in the summary. */
  readonly about: string;
  readonly figure: string;
  /** Null where there is nothing to count it from. */
  readonly value: number | null;
  readonly unit: 'times' | 'seconds' | 'minutes' | 'hours' | 'share' | 'per week';
  /** Of how many. */
  readonly of: number | null;
  /** Of a share: what it is below with 95 % confidence, however few there were (Wilson score interval, its upper end). */
  readonly upper: number | null;
  /** Ids of incidents behind it, the first so many. */
  readonly incidents: readonly string[];
}

export interface ReportPoints {
  readonly alert: readonly PointOf<'alert'>[];
  readonly incident: readonly PointOf<'incident'>[];
  readonly run: readonly PointOf<'run'>[];
  readonly page: readonly PointOf<'page'>[];
}

export interface ReportRules {
  /** Minutes that a run of a playbook spares a person. */
  readonly minutesSaved: { readonly [playbook: string]: number };
  readonly minutesSavedElse: number;
  /** IANA name of the zone in which people work, Monday to Friday from 8 to 18. */
  readonly zone: string;
}

export interface ReportSpan {
  readonly from: Instant;
  readonly to: Instant;
}

const incidentsMax = 50;
const aboutMax = 100;

export function pointsByMeasurement(points: readonly Point[]): ReportPoints {
  const of = <M extends Point['measurement']>(measurement: M) =>
    points.filter((point): point is Extract<Point, { measurement: M }> => point.measurement === measurement);
  return { alert: of('alert'), incident: of('incident'), run: of('run'), page: of('page') };
}

export function reportOf(name: ReportName, points: ReportPoints, rules: ReportRules, span: ReportSpan): readonly ReportRow[] {
  return reports[name](points, rules, span);
}

const reports: { readonly [name in ReportName]: (points: ReportPoints, rules: ReportRules, span: ReportSpan) => readonly ReportRow[] } = {
  summary,
  rules: byRule,
  people: byPerson,
  playbooks: byPlaybook,
};

type Some = Pick<Point, 'words'>;

function row(
  about: string,
  figure: string,
  unit: ReportRow['unit'],
  value: number | null,
  behind: readonly Some[],
  of: number | null = null,
): ReportRow {
  const incidents = [...new Set(behind.flatMap(({ words }) => words.incident ?? []))].slice(0, incidentsMax);
  const upper = unit === 'share' && value !== null && of !== null ? upperOf(Math.round(value * of), of) : null;
  return { about, figure, value, unit, of, upper, incidents };
}

function times(about: string, figure: string, behind: readonly Some[], of: number | null = null): ReportRow {
  return row(about, figure, 'times', behind.length, behind, of);
}

function share(about: string, figure: string, part: readonly Some[], whole: readonly Some[]): ReportRow {
  return row(about, figure, 'share', whole.length === 0 ? null : part.length / whole.length, part, whole.length);
}

function mean(
  figure: string,
  behind: readonly PointOf<'incident'>[],
  field: 'detect_seconds' | 'acknowledge_seconds' | 'mitigate_seconds' | 'resolve_seconds',
): ReportRow {
  const told = behind.filter(({ fields }) => fields[field] !== undefined);
  const sum = told.reduce((all, { fields }) => all + (fields[field] ?? 0), 0);
  return row('', figure, 'seconds', told.length === 0 ? null : sum / told.length, told, told.length);
}

function summary({ incident, run, page }: ReportPoints, rules: ReportRules): readonly ReportRow[] {
  const untouched = incident.filter(({ fields }) => fields.untouched === 1);
  const avoided = incident.filter(({ fields, tags }) => tags.outcome === 'playbook' && fields.pages === 0);
  const pages = page.filter(({ fields }) => fields.opened === 1);
  const after = (each: { readonly at: Instant }): boolean => !isAtWork(each.at, rules.zone);
  const acted = run.filter(({ fields }) => fields.acted === 1);
  const wrong = acted.filter(({ fields }) => fields.wrong === 1);
  const helped = acted.filter(({ fields }) => fields.wrong === 0);
  const [withOne, without] = [true, false].map((has) => incident.filter(({ tags }) => (tags.playbook !== noWord) === has));
  return [
    times('', 'incidents', incident),
    times('', 'pages', pages),
    times('', 'pages after hours', pages.filter(after), pages.length),
    times('', 'pages avoided', avoided, incident.length),
    times('', 'pages avoided after hours', avoided.filter(after), avoided.length),
    share('', 'closed without a person', untouched, incident),
    row(
      '',
      'hours saved',
      'hours',
      helped.reduce((sum, { tags }) => sum + minutesOf(tags.playbook ?? '', rules), 0) / 60,
      helped,
      helped.length,
    ),
    share('', 'wrong actions', wrong, acted),
    mean('mean time to detect', incident, 'detect_seconds'),
    ...(['acknowledge', 'mitigate', 'resolve'] as const).flatMap((what) => [
      mean(`mean time to ${what}, with a playbook`, withOne ?? [], `${what}_seconds`),
      mean(`mean time to ${what}, without`, without ?? [], `${what}_seconds`),
    ]),
  ];
}

function minutesOf(playbook: string, { minutesSaved, minutesSavedElse }: ReportRules): number {
  return Object.hasOwn(minutesSaved, playbook) ? (minutesSaved[playbook] ?? 0) : minutesSavedElse;
}

/** The worst first: by minutes for which incidents of the rule went on without a playbook, which is where one is missing most. */
function byRule({ alert, incident, page }: ReportPoints): readonly ReportRow[] {
  const rules = [...new Set([...alert, ...incident].map(({ tags }) => tags.rule ?? noWord))].filter((rule) => rule !== noWord);
  const [alerts, lives, pages] = [groupedBy(alert, 'rule'), groupedBy(incident, 'rule'), groupedBy(page, 'rule')];
  const ranked = rules.map((rule) => {
    const own = lives.get(rule) ?? [];
    const bare = own.filter(({ tags }) => tags.playbook === noWord);
    const missing = bare.reduce((sum, { fields }) => sum + (fields.resolve_seconds ?? 0), 0) / 60;
    return { rule, own, bare, missing, fired: (alerts.get(rule) ?? []).filter(({ fields }) => fields.fired === 1) };
  });
  ranked.sort((one, other) => other.missing - one.missing || other.fired.length - one.fired.length || (one.rule < other.rule ? -1 : 1));
  return ranked.slice(0, aboutMax).flatMap(({ rule, own, bare, missing, fired }) => {
    const ended = (alerts.get(rule) ?? []).filter(({ fields }) => fields.duration_seconds !== undefined);
    const minutes = ended.reduce((sum, { fields }) => sum + (fields.duration_seconds ?? 0), 0) / 60;
    return [
      times(rule, 'fired', fired),
      row(rule, 'firing', 'minutes', minutes, ended, ended.length),
      times(
        rule,
        'pages',
        (pages.get(rule) ?? []).filter(({ fields }) => fields.opened === 1),
      ),
      share(
        rule,
        'ended by itself',
        own.filter(({ tags, fields }) => tags.outcome === 'source' && fields.untouched === 1),
        own,
      ),
      times(
        rule,
        'healed by a playbook',
        own.filter(({ tags }) => tags.outcome === 'playbook'),
        own.length,
      ),
      row(rule, 'went on without a playbook', 'minutes', missing, bare, bare.length),
    ];
  });
}

/** Whoever took a page; those that nobody took are of nobody. */
function byPerson({ page }: ReportPoints, _: ReportRules, { from, to }: ReportSpan): readonly ReportRow[] {
  const weeks = (to - from) / week;
  const people = new Map<string, PointOf<'page'>[]>();
  for (const each of page.filter(({ fields }) => fields.closed === 1)) {
    const person = each.words.by ?? 'nobody';
    const pages = people.get(person);
    if (pages === undefined) people.set(person, [each]);
    else pages.push(each);
  }
  const ranked = [...people].sort(([one, a], [other, b]) => b.length - a.length || (one < other ? -1 : 1));
  return ranked.slice(0, aboutMax).flatMap(([person, pages]) => {
    const taken = pages.filter(({ fields }) => fields.ack_seconds !== undefined);
    const waited = taken.reduce((sum, { fields }) => sum + (fields.ack_seconds ?? 0), 0);
    return [
      times(person, 'pages', pages),
      row(person, 'pages per week', 'per week', pages.length / weeks, pages, pages.length),
      row(person, 'mean time to answer', 'seconds', taken.length === 0 ? null : waited / taken.length, taken, taken.length),
    ];
  });
}

function byPlaybook({ run }: ReportPoints, rules: ReportRules): readonly ReportRow[] {
  const playbooks = [...groupedBy(run, 'playbook')].sort(([one, a], [other, b]) => b.length - a.length || (one < other ? -1 : 1));
  return playbooks.slice(0, aboutMax).flatMap(([playbook, runs]) => {
    const acted = runs.filter(({ fields }) => fields.acted === 1);
    const wrong = acted.filter(({ fields }) => fields.wrong === 1);
    const saved = ((acted.length - wrong.length) * minutesOf(playbook, rules)) / 60;
    return [
      times(playbook, 'runs', runs),
      times(playbook, 'acted', acted, runs.length),
      share(playbook, 'wrong actions', wrong, acted),
      times(
        playbook,
        'refused',
        runs.filter(({ tags }) => tags.end === 'refused'),
        runs.length,
      ),
      row(
        playbook,
        'hours saved',
        'hours',
        saved,
        acted.filter(({ fields }) => fields.wrong === 0),
        acted.length - wrong.length,
      ),
    ];
  });
}

function groupedBy<Each extends Point>(points: readonly Each[], tag: 'rule' | 'playbook'): ReadonlyMap<string, readonly Each[]> {
  const groups = new Map<string, Each[]>();
  for (const point of points) {
    const tags: { readonly [tag: string]: string | undefined } = point.tags;
    const name = tags[tag] ?? noWord;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [point]);
    else group.push(point);
  }
  return groups;
}

const week: Millis = 7 * 24 * hour;
/** A report of less says nothing. */
export const spanMin: Millis = minute;

/** One line a row; the first names the columns. Fields are quoted, and one that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvOf(rows: readonly ReportRow[]): string {
  const lines = [
    ['about', 'figure', 'value', 'unit', 'of', 'upper', 'incidents'],
    ...rows.map((each) => [each.about, each.figure, each.value, each.unit, each.of, each.upper, each.incidents.join(' ')]),
  ];
  return `${lines.map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`;
}

function cellOf(cell: string | number | null): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return `"${text.replaceAll('"', '""')}"`;
}
