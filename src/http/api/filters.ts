// What lists may be asked for in a query string, and the question to the read model that it makes.
//   L1  Instants are absolute: a span like `2h` would mean another time on each page, so clients reckon it once, before the first.
//   L2  Without a state, incidents are those that are not resolved; other kinds are shown in every state.
//   L3  Patterns of one question have a bounded number of steps together; the one that spends it is named. (How soon a page ends is the store's business.)
import { newBudget } from '../../core/alert/labels.ts';
import { GatewayError } from '../../core/errors.ts';
import { outcomes } from '../../core/run/ends.ts';
import type { DocumentKind, StateOf } from '../../readmodel/documents.ts';
import { severitiesIn, statesIn, wordsIn, type LabelFilter, type SortWord, type ViewQuery } from '../../readmodel/query.ts';
import type { HttpDeps } from '../deps.ts';
import type { Call } from '../route.ts';
import type { Schema } from '../schema.ts';
import { boundedIn, listStepsMax, matchersOf } from './matching.ts';

/** What every list takes. */
export interface ListQuery {
  readonly state?: string;
  readonly since?: string;
  readonly until?: string;
  readonly text?: string;
  readonly sort?: SortWord;
  readonly limit: number;
  readonly after?: string;
}

interface Origin {
  readonly severity?: string;
  readonly source?: readonly string[];
  readonly name?: readonly string[];
  readonly host?: readonly string[];
  readonly service?: readonly string[];
}

export interface AlertListQuery extends ListQuery, Origin {
  readonly match?: readonly string[];
  readonly incident?: string;
}

export interface IncidentListQuery extends ListQuery, Origin {
  readonly storm?: boolean;
  readonly parent?: string;
  readonly children?: 'show' | 'hide';
}

export interface RunListQuery extends ListQuery {
  readonly playbook?: readonly string[];
  readonly target?: readonly string[];
  readonly end?: string;
  readonly incident?: string;
}

export interface PageListQuery extends ListQuery {
  readonly incident?: string;
}

export interface ApprovalListQuery extends ListQuery {
  readonly run?: string;
  readonly incident?: string;
}

const wordsMax = 20;

const wordList = (description: string): Schema => ({
  type: 'string',
  maxLength: 200,
  description: `${description}; several with commas between`,
});
const texts = (description: string): Schema => ({
  type: 'array',
  maxItems: wordsMax,
  items: { type: 'string', maxLength: 400 },
  description: `${description}; any of them, when it is given several times`,
});
const id = (description: string): Schema => ({ type: 'string', maxLength: 400, description });
const moment = (description: string): Schema => ({
  type: 'string',
  maxLength: 40,
  description: `${description}: RFC 3339, or milliseconds since 1970`,
});

export const pageQuery = {
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  after: { type: 'string', maxLength: 4_000, description: 'The `next` of the page before, of the same question' },
} as const satisfies { readonly [name: string]: Schema };

export const listQuery = {
  state: wordList('One or more states'),
  since: moment('Only what began at this instant or later'),
  until: moment('Only what began before this instant'),
  text: {
    type: 'string',
    maxLength: 200,
    description: 'Text in what the document says: words, labels and their names, not numbers; upper and lower case alike',
  },
  sort: { type: 'string', enum: ['worst', 'newest'], description: 'worst: by state, then severity, then newest' },
  ...pageQuery,
} as const satisfies { readonly [name: string]: Schema };

const origin = {
  severity: wordList('One or more severities'),
  source: texts('The monitoring system'),
  name: texts('The name of the rule or check'),
  host: texts('The host'),
  service: texts('The service'),
} as const satisfies { readonly [name: string]: Schema };

export const alertListQuery = {
  ...listQuery,
  ...origin,
  match: {
    type: 'array',
    maxItems: wordsMax,
    items: { type: 'string', maxLength: 600 },
    description: 'A matcher on labels like `severity="critical"`; all of them must agree, when it is given several times',
  },
  incident: id('Only alerts of this incident'),
} as const;

export const incidentListQuery = {
  ...listQuery,
  state: { ...wordList('One or more states'), default: 'open,acknowledged' },
  ...origin,
  storm: { type: 'boolean', description: 'Only storms, or only what is none' },
  parent: id('Only what this storm speaks for'),
  children: {
    type: 'string',
    enum: ['show', 'hide'],
    description:
      'Whether to show incidents for which a storm speaks; hidden unless `parent` is given, or the filters fit them but not the storm',
  },
} as const;

export const runListQuery = {
  ...listQuery,
  playbook: texts('The playbook'),
  target: texts('What it acts on'),
  end: wordList('How it ended'),
  incident: id('Only runs for this incident'),
} as const;

export const pageListQuery = { ...listQuery, incident: id('Only pages about this incident') } as const;

export const approvalListQuery = {
  ...listQuery,
  run: id('Only of this run'),
  incident: id('Only about this incident'),
} as const;

type PatternDeps = Pick<HttpDeps, 'expressions'>;
type Asking<Query> = Pick<Call<Query>, 'query' | 'scopes'>;

export function alertsAsked({ query, scopes }: Asking<AlertListQuery>, deps: PatternDeps): ViewQuery<'alert'> {
  const labels = labelsIn(query.match ?? [], deps);
  return { kind: 'alert', ...common('alert', query, scopes), ...originIn(query), ...defined({ labels, incident: query.incident }) };
}

export function incidentsAsked({ query, scopes }: Asking<IncidentListQuery>): ViewQuery<'incident'> {
  const { storm, parent, children } = query;
  return { kind: 'incident', ...common('incident', query, scopes), ...originIn(query), ...defined({ storm, parent, children }) };
}

export function runsAsked({ query, scopes }: Asking<RunListQuery>): ViewQuery<'run'> {
  const { playbook, target, end, incident } = query;
  return {
    kind: 'run',
    ...common('run', query, scopes),
    ...defined({
      playbooks: playbook,
      targets: target,
      ends: end === undefined ? undefined : wordsIn('end', outcomes, listed(end)),
      incident,
    }),
  };
}

export function pagesAsked({ query, scopes }: Asking<PageListQuery>): ViewQuery<'page'> {
  return { kind: 'page', ...common('page', query, scopes), ...defined({ incident: query.incident }) };
}

export function approvalsAsked({ query, scopes }: Asking<ApprovalListQuery>): ViewQuery<'approval'> {
  return { kind: 'approval', ...common('approval', query, scopes), ...defined({ run: query.run, incident: query.incident }) };
}

export function silencesAsked({ query, scopes }: Asking<ListQuery>): ViewQuery<'silence'> {
  return { kind: 'silence', ...common('silence', query, scopes) };
}

interface Common<Kind extends DocumentKind> {
  readonly scopes: Call['scopes'];
  readonly limit: number;
  readonly states?: readonly StateOf<Kind>[];
  readonly since?: number;
  readonly until?: number;
  readonly text?: string;
  readonly sort?: SortWord;
  readonly after?: string;
}

function common<Kind extends DocumentKind>(kind: Kind, query: ListQuery, scopes: Call['scopes']): Common<Kind> {
  const { state, since, until, text, sort, limit, after } = query;
  const states = state === undefined ? undefined : statesIn(kind, listed(state));
  const span = defined({ since: instantIn('since', since), until: instantIn('until', until) });
  if (span.since !== undefined && span.until !== undefined && span.since >= span.until) {
    throw new GatewayError(
      'invalid_request',
      'query/until: expected an instant after since, seen one before it: nothing lies between them',
    );
  }
  return { scopes, limit, ...(states === undefined ? {} : { states }), ...span, ...defined({ text, sort, after }) };
}

function originIn({ severity, source, name, host, service }: Origin) {
  const trimmed = (values: readonly string[] | undefined): readonly string[] | undefined => values?.map((value) => value.trim());
  const lower = (values: readonly string[] | undefined): readonly string[] | undefined =>
    trimmed(values)?.map((value) => value.toLowerCase());
  return defined({
    severities: severity === undefined ? undefined : severitiesIn(listed(severity)),
    sources: trimmed(source),
    names: trimmed(name),
    hosts: lower(host), // entities are in lower case
    services: lower(service),
  });
}

function listed(text: string): readonly string[] {
  return text.split(',').map((word) => word.trim());
}

/** L3 */
function labelsIn(given: readonly string[], { expressions }: PatternDeps): LabelFilter | undefined {
  const where = 'query/match';
  const matchers = matchersOf(where, given, expressions.patternProblem);
  return matchers.length === 0 ? undefined : { matchers, pattern: boundedIn(where, expressions, newBudget(listStepsMax)) };
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

/** L1 */
export function instantIn(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = /^\d{1,16}$/.test(text) ? Number(text) : rfc3339.test(text) ? Date.parse(text.replace(' ', 'T').toUpperCase()) : Number.NaN;
  if (Number.isNaN(at) || at > 8_640_000_000_000_000) {
    throw new GatewayError(
      'invalid_request',
      `query/${name}: expected an instant like 2026-11-21T04:00:00Z, or milliseconds since 1970, seen "${text}"`,
    );
  }
  return at;
}

/** Without the members that were not given. */
function defined<T extends object>(members: T): { readonly [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>; // The members of T that are there.
  };
}
