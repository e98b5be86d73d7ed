// What people ask a list for, and which documents answer it. The stores find them by index; what they find must be what is said here.
//   Q1  Whoever asks names the scopes that may be seen; an empty list sees nothing.
//   Q2  Filters of one kind of word are any-of, filters of different kinds must all hold.
//   Q3  A storm speaks for its children where it is what is asked for: a question for a host, a severity or a time that a child has and
//       the storm has not finds the child. In which state the storm is makes no difference, as long as it is not resolved.
import { matchesAll, type Matchable, type Matcher, type PatternTest } from '../core/alert/labels.ts';
import { severities, severityRank, type Severity } from '../core/alert/severity.ts';
import { GatewayError } from '../core/errors.ts';
import type { Outcome } from '../core/run/ends.ts';
import type { Instant } from '../core/time.ts';
import { states, type DocumentByKind, type DocumentKind, type StateOf } from './documents.ts';
import { placeIn } from './place.ts';

/** What a caller may see: `all` (every scope, and what belongs to none), or these. */
export type ScopeFilter = 'all' | readonly string[];

export function sees(scopes: ScopeFilter, scope: string): boolean {
  return scopes === 'all' || scopes.includes(scope);
}

/** Label matchers as silences have them, and the engine that tests their patterns. */
export interface LabelFilter {
  readonly matchers: readonly Matcher[];
  readonly pattern: PatternTest;
}

interface FiltersByKind {
  readonly alert: {
    readonly severities: readonly Severity[];
    readonly sources: readonly string[];
    readonly names: readonly string[];
    /** Of the entity, in lower case. */
    readonly hosts: readonly string[];
    readonly services: readonly string[];
    /** All of them must agree; an empty list asks for nothing. */
    readonly labels: LabelFilter;
    readonly incident: string;
  };
  readonly incident: {
    readonly severities: readonly Severity[];
    readonly sources: readonly string[];
    /** Name, host and service of any alert that is or was a member. */
    readonly names: readonly string[];
    readonly hosts: readonly string[];
    readonly services: readonly string[];
    readonly storm: boolean;
    /** Only what this storm speaks for. */
    readonly parent: string;
    /** Left out unless asked for: incidents whose parent is not resolved and in the answer itself, since it speaks for them (Q3). */
    readonly children: 'show' | 'hide';
  };
  readonly run: {
    readonly playbooks: readonly string[];
    readonly targets: readonly string[];
    readonly ends: readonly Outcome[];
    readonly incident: string;
  };
  readonly page: { readonly incident: string };
  readonly silence: object;
  readonly approval: { readonly run: string; readonly incident: string };
  readonly partition: object;
}

/** `worst`: by state, then severity, then newest; `newest`: by `at`. */
export type SortWord = 'worst' | 'newest';

interface Asked<Kind extends DocumentKind> {
  readonly kind: Kind;
  readonly scopes: ScopeFilter;
  readonly states?: readonly StateOf<Kind>[];
  /** On `at`: from the first instant on, and before the second. */
  readonly since?: Instant;
  readonly until?: Instant;
  /** Text in what the document says (text.ts); upper and lower case alike. */
  readonly text?: string;
  /** By default `worst` for incidents, `newest` for all else. */
  readonly sort?: SortWord;
  readonly limit: number;
  /** Opaque place to go on from, as returned in `next` of the same question. */
  readonly after?: string;
}

/** A question to a list. Without scopes it does not compile (Q1). */
export type ViewQuery<Kind extends DocumentKind = DocumentKind> = Asked<Kind> & Partial<FiltersByKind[Kind]>;

/** Every filter that some kind has: what a store looks at, whatever the kind. */
export type AnyQuery = Omit<Asked<DocumentKind>, 'states'> & { readonly states?: readonly string[] } & Partial<
    FiltersByKind['alert'] & FiltersByKind['incident'] & FiltersByKind['run'] & FiltersByKind['approval']
  >;

export function sortOf({ kind, sort }: Pick<AnyQuery, 'kind' | 'sort'>): SortWord {
  return sort ?? (kind === 'incident' ? 'worst' : 'newest');
}

/** The words of a filter, or `invalid_request` with the words there are: `state: expected open, acknowledged or resolved, seen opn`. */
export function wordsIn<Word extends string>(what: string, known: readonly Word[], given: readonly string[]): readonly Word[] {
  return given.map((word) => {
    const found = known.find((one) => one === word);
    if (found !== undefined) return found;
    const expected = known.length === 1 ? known[0] : `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
    throw new GatewayError('invalid_request', `${what}: expected ${expected}, seen ${word.slice(0, 40) || 'nothing'}`);
  });
}

export function statesIn<Kind extends DocumentKind>(kind: Kind, given: readonly string[]): readonly StateOf<Kind>[] {
  return wordsIn('state', states[kind], given);
}

export function severitiesIn(given: readonly string[]): readonly Severity[] {
  return wordsIn('severity', severities, given);
}

/** Where a document stands among those of its kind when the worst come first: by state, then by severity. 0 is the worst. */
export function rankOf(kind: DocumentKind, { state, severity }: { readonly state: string; readonly severity?: Severity }): number {
  const place = states[kind].findIndex((one) => one === state);
  return place * severities.length + (severities.length - 1 - severityRank(severity ?? 'critical'));
}

const links: { readonly [Kind in DocumentKind]: (doc: DocumentByKind[Kind]) => string | null } = {
  alert: (doc) => doc.incident,
  incident: (doc) => doc.parent,
  run: (doc) => doc.incident,
  page: (doc) => doc.incident,
  approval: (doc) => doc.incident,
  silence: () => null,
  partition: () => null,
};

const facets: { readonly [Kind in DocumentKind]: (doc: DocumentByKind[Kind]) => readonly string[] } = {
  alert: (doc) => [
    facet('source', doc.source),
    ...placesOf(doc),
    ...Object.entries(doc.labels).map(([name, value]) => labelFacet(name, value)),
  ],
  incident: (doc) => [...doc.sources.map((source) => facet('source', source)), facet('storm', String(doc.storm))],
  run: (doc) => [facet('playbook', doc.playbook), facet('target', doc.target), ...(doc.end === null ? [] : [facet('end', doc.end)])],
  page: () => [],
  approval: (doc) => [facet('run', doc.run)],
  silence: () => [],
  partition: () => [],
};

/** What a document belongs to: an alert, run, page or approval to its incident, an incident to the storm that speaks for it. */
export function linkOf<Kind extends DocumentKind>(kind: Kind, doc: DocumentByKind[Kind]): string | null {
  return links[kind](doc);
}

/** The words by which a document is found: `host=db1`. */
export function facetsOf<Kind extends DocumentKind>(kind: Kind, doc: DocumentByKind[Kind]): readonly string[] {
  return facets[kind](doc);
}

/** What an incident is found by because of a member; it stays so when the member goes elsewhere. */
export function placesOf({ name, entity }: Pick<DocumentByKind['alert'], 'name' | 'entity'>): readonly string[] {
  const { host = '', service = '' } = entity;
  return [facet('name', name), ...(host === '' ? [] : [facet('host', host)]), ...(service === '' ? [] : [facet('service', service)])];
}

/** The facets of which a document needs one of each list. */
export function facetsAsked(query: AnyQuery): readonly (readonly string[])[] {
  const anyOf: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['source', query.sources],
    ['name', query.names],
    ['host', query.hosts],
    ['service', query.services],
    ['playbook', query.playbooks],
    ['target', query.targets],
    ['end', query.ends],
    ['run', query.run === undefined ? undefined : [query.run]],
    ['storm', query.storm === undefined ? undefined : [String(query.storm)]],
  ];
  return [
    ...anyOf.flatMap(([name, values]) => (values === undefined ? [] : [values.map((value) => facet(name, value))])),
    ...(query.labels?.matchers ?? []).filter(isIndexed).map(({ name, value }) => [labelFacet(name, value)].concat(knownFacet(name, value))),
  ];
}

/** A missing label reads as the empty text, so that `=""` asks for what is not there. */
function isIndexed({ name, op, value }: Matcher): boolean {
  return op === '=' && value !== '' && !unindexed.has(name);
}

/** What matchers see beside the labels (M5 in core/alert/labels.ts) and no facet holds. */
const unindexed: ReadonlySet<string> = new Set(['ip', 'pod', 'namespace', 'cluster', 'severity']);

/** The facet of what matchers see beside the labels. */
function knownFacet(name: string, value: string): readonly string[] {
  if (name === 'alertname') return [facet('name', value)];
  return name === 'host' || name === 'service' || name === 'source' ? [facet(name, value)] : [];
}

/** Whether a document agrees with the matchers that no facet answers; one without labels has none. */
export function agreesOnLabels(filter: LabelFilter | undefined, document: Partial<Matchable>): boolean {
  const others = filter?.matchers.filter((matcher) => !isIndexed(matcher)) ?? [];
  return filter === undefined || others.length === 0 || matchesAll(others, { ...document, labels: document.labels ?? {} }, filter.pattern);
}

/** True when some matcher is to be tested on the labels themselves. */
export function testsLabels(query: AnyQuery): boolean {
  return query.labels?.matchers.some((matcher) => !isIndexed(matcher)) ?? false;
}

function facet(name: string, value: string): string {
  return `${name}=${value}`;
}

/** The length keeps `a=b` = `c` apart from `a` = `b=c`. */
function labelFacet(name: string, value: string): string {
  return `label:${name.length}:${name}=${value}`;
}

/** Whether incidents are left out whose parent speaks for them. */
export function hidesChildren(query: AnyQuery): boolean {
  return query.kind === 'incident' && (query.children ?? (query.parent === undefined ? 'hide' : 'show')) === 'hide';
}

/** What a storm is asked for when its children are asked for: null when they stay under it whatever it is (Q3). */
export function askedOfStorms(query: AnyQuery): AnyQuery | null {
  if (!hidesChildren(query) || query.parent !== undefined) return null;
  const { states: _, storm: __, after: ___, ...rest } = query;
  return { ...rest, scopes: 'all' };
}

/** The question as one shape for all kinds, or `invalid_request` for words that there are not. */
export function asked<Kind extends DocumentKind>(query: ViewQuery<Kind>): AnyQuery {
  const any = query as AnyQuery; // a kind has some of the filters that there are
  if (any.states !== undefined) statesIn(any.kind, any.states);
  if (any.severities !== undefined) severitiesIn(any.severities);
  if (any.sort !== undefined) wordsIn('sort', ['worst', 'newest'], [any.sort]);
  if (any.after !== undefined) placeIn(any.after, sortOf(any));
  return any;
}
