// JSON Schemas of what the API answers, by name: the components of the OpenAPI document.
//   C1  A schema says exactly what its type in readmodel/answers.ts says: the compiler refuses a member too few or too many.
import type {
  AcceptedAnswer,
  AliveAnswer,
  DeliveredAnswer,
  DiscardedAnswer,
  IncidentAnswer,
  LetterAnswer,
  OutputAnswer,
  LetterDocument,
  Listed,
  PreviewAnswer,
  ProblemAnswer,
  RawAnswer,
  ReadyAnswer,
  ReloadAnswer,
  ReportAnswer,
  ReplayedAnswer,
  SilenceAcceptedAnswer,
  StateCounts,
  SummaryAnswer,
  TimelineAnswer,
} from '../readmodel/answers.ts';
import { states, type DocumentByKind, type DocumentKind } from '../readmodel/documents.ts';
import { closed, integer, listOf, mapOf, nullable, number, text, truth, value, words, type SchemaOf } from '../readmodel/schema.ts';
import { reportNames, type ReportRow } from '../readmodel/reports/report.ts';
import { documentSchemas, freezeSchema, lineSchema } from '../readmodel/schemas.ts';
import type { TimelineEntry } from '../readmodel/timeline.ts';
import { logComponents } from './log-components.ts';
import { playbookComponents } from './playbook-components.ts';
import { ref, type Schema } from './schema.ts';

type Document<Kind extends DocumentKind> = DocumentByKind[Kind];

/** A page of a list. */
function pageOf<Item>(items: SchemaOf<Item>): SchemaOf<Listed<Item>> {
  return closed<Listed<Item>>({ items: listOf(items), next: nullable(text) });
}

const instant = { ...integer, description: 'Milliseconds since 1970, UTC' } as SchemaOf<number>;
const accepted = words(['accepted']);

const letterMembers = {
  id: text,
  at: instant,
  endpoint: text,
  source: text,
  reason: text,
  message: text,
  headers: mapOf(text),
  path: text,
  state: words(['waiting', 'replayed', 'discarded']),
  bodyChars: integer,
} as const;

/** The members of an incident, and its parts. */
const incidentWithParts: SchemaOf<IncidentAnswer> = ((): Schema => {
  const parts = closed<Omit<IncidentAnswer, keyof Document<'incident'>>>({
    alerts: listOf(ref<Document<'alert'>>('Alert')),
    alertsMore: truth,
    runs: listOf(ref<Document<'run'>>('Run')),
    pages: listOf(ref<Document<'page'>>('Page')),
    nested: ref<Listed<Document<'incident'>>>('Incidents'),
  });
  const { properties, required } = documentSchemas.incident;
  return {
    ...parts,
    properties: { ...(properties as object), ...(parts['properties'] as object) }, // Both are schemas of objects.
    required: [...(required as string[]), ...(parts['required'] as string[])],
  };
})();

function countsOf<Kind extends DocumentKind>(kind: Kind): SchemaOf<StateCounts<Kind>> {
  const known: readonly string[] = states[kind];
  const properties = Object.fromEntries(known.map((state) => [state, { type: 'integer', minimum: 0 }]));
  return { type: 'object', additionalProperties: false, properties, required: known };
}

const problem = closed<ProblemAnswer>({ type: text, title: text, status: integer, detail: text, code: text, reason: text, letter: text }, [
  'reason',
  'letter',
]);

export const components: { readonly [name: string]: Schema } = {
  Alert: documentSchemas.alert,
  Incident: documentSchemas.incident,
  Run: documentSchemas.run,
  Approval: documentSchemas.approval,
  Page: documentSchemas.page,
  Silence: documentSchemas.silence,
  TimelineEntry: lineSchema,
  Alerts: pageOf(ref<Document<'alert'>>('Alert')),
  Incidents: pageOf(ref<Document<'incident'>>('Incident')),
  Runs: pageOf(ref<Document<'run'>>('Run')),
  Approvals: pageOf(ref<Document<'approval'>>('Approval')),
  Pages: pageOf(ref<Document<'page'>>('Page')),
  Silences: pageOf(ref<Document<'silence'>>('Silence')),
  IncidentWithParts: incidentWithParts,
  Timeline: closed<TimelineAnswer>({ items: listOf(ref<TimelineEntry>('TimelineEntry')), next: nullable(integer) }),
  Output: closed<OutputAnswer>({
    run: text,
    call: text,
    outcome: words(['ok', 'failed', 'unknown']),
    detail: nullable(text),
    output: mapOf(value),
  }),
  Report: closed<ReportAnswer>({
    report: words(reportNames),
    from: instant,
    to: instant,
    zone: text,
    rows: listOf(
      closed<ReportRow>({
        about: text,
        figure: text,
        value: nullable(number),
        unit: words(['times', 'seconds', 'minutes', 'hours', 'share', 'per week']),
        of: nullable(integer),
        upper: nullable(number),
        incidents: listOf(text),
      }),
    ),
  }),
  Raw: closed<RawAnswer>({ input: text, body: text }),
  Preview: closed<PreviewAnswer>({
    count: integer,
    complete: truth,
    items: listOf(ref<Document<'alert'>>('Alert')),
    near: closed<PreviewAnswer['near']>({
      count: integer,
      items: listOf(closed<PreviewAnswer['near']['items'][number]>({ id: text, summary: text, name: text, value: text })),
    }),
  }),
  Letter: closed<LetterAnswer>({ ...letterMembers, body: text }),
  Letters: pageOf(closed<LetterDocument>(letterMembers)),
  Accepted: closed<AcceptedAnswer>({ status: accepted }),
  SilenceAccepted: closed<SilenceAcceptedAnswer>({ status: accepted, id: text }),
  Replayed: closed<ReplayedAnswer>({ status: accepted, alerts: integer, warnings: listOf(text) }),
  Reload: closed<ReloadAnswer>({
    outcome: words(['reloaded', 'unchanged', 'does_not_load', 'needs_restart', 'not_published']),
    digest: nullable(text),
    playbooks: nullable(integer),
    changed: listOf(text),
    restart: listOf(text),
    problems: listOf(text),
  }),
  Discarded: closed<DiscardedAnswer>({ status: words(['discarded']) }),
  Delivered: closed<DeliveredAnswer>({ status: accepted, alerts: integer }),
  Summary: closed<SummaryAnswer>({
    alerts: countsOf('alert'),
    incidents: countsOf('incident'),
    runs: countsOf('run'),
    pages: countsOf('page'),
    silences: countsOf('silence'),
    approvals: countsOf('approval'),
    deadLetters: integer,
    frozen: nullable(closed<NonNullable<SummaryAnswer['frozen']>>({ by: text, reason: text, freezes: listOf(freezeSchema) })),
    version: text,
  }),
  Alive: closed<AliveAnswer>({ status: words(['alive']) }),
  Ready: closed<ReadyAnswer>({
    status: words(['ready', 'not ready', 'draining']),
    checks: listOf(closed<ReadyAnswer['checks'][number]>({ name: text, ok: truth, note: text }, ['note'])),
  }),
  ...logComponents,
  ...playbookComponents,
  Problem: problem,
};
