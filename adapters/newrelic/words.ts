// The vendor's words and the names under which its values travel, from workflow variables, default templates and the classic payload.
import type { Claim, Entity } from '../../src/core/alert/event.ts';
import type { Severity } from '../../src/core/alert/severity.ts';

export const severityWords: { readonly [word: string]: Severity } = {
  critical: 'critical',
  high: 'warning', // what a WARNING threshold is called
  medium: 'warning',
  warning: 'warning',
  low: 'info',
  info: 'info',
};

/** What a notification says of the issue: a claim, that it is not active at present (it may be again, and is closed later), or a test. */
export type Says = Claim | 'inactive' | 'test';

/** By letters and digits alone: `INCIDENT_CLOSE`, `incident-close`, `incidentClose`. */
export const claimWords: ReadonlyMap<string, Says> = new Map([
  ...wordsFor('firing', 'created activated activate open opened reopened new active firing triggered alerting prioritychanged added'),
  ...wordsFor('acknowledged', 'acknowledged acknowledge ack investigating'),
  ...wordsFor('unacknowledged', 'unacknowledged unacknowledge unacked unack'),
  ...wordsFor('inactive', 'deactivated deactivate inactive idle'),
  ...wordsFor('cleared', 'closed close resolved resolve recovered recovery ended ok'),
  ...wordsFor('test', 'test'),
]);

/** Alone, and as event types have them, in front of them what it is about. */
function wordsFor(claim: Says, words: string): readonly (readonly [string, Says])[] {
  return words.split(' ').flatMap((word) => ['', 'incident', 'issue', 'notification'].map((about) => [`${about}${word}`, claim] as const));
}

export const entityLabels: { readonly [part in keyof Entity]-?: readonly string[] } = {
  host: ['fullHostname', 'hostname', 'host', 'host.name'],
  ip: ['ip', 'ipV4Address'],
  service: ['service', 'service.name', 'appName'],
  pod: ['podName', 'k8s.podName'],
  namespace: ['namespaceName', 'k8s.namespaceName', 'namespace'],
  cluster: ['clusterName', 'k8s.clusterName'],
};

/** Every name under which a value is known: workflow variable, default template, classic payload. */
export const members = {
  issue: ['issueId', 'issue_id', 'id', 'incident_id', 'incidentId', 'alias', 'dedup_key'],
  state: [
    'state',
    'current_state',
    'issueState',
    'stateText',
    'incident_state',
    'status',
    'issueStatus',
    'incident_status',
    'event_type',
    'eventAction',
  ],
  trigger: ['trigger', 'triggerEvent'],
  severity: ['priority', 'severity'],
  title: ['title', 'issueTitle', 'details', 'summary', 'message', 'description'],
  condition: ['conditionName', 'alertConditionNames', 'condition_name', 'conditionNames', 'alertConditionName', 'conditions', 'condition'],
  conditionKey: [
    'condition_family_id',
    'conditionFamilyId',
    'condition_id',
    'conditionName',
    'alertConditionNames',
    'condition_name',
    'conditionNames',
    'alertConditionName',
  ],
  policy: ['policyName', 'alertPolicyNames', 'policy_name', 'policyNames', 'alertPolicyName', 'policy'],
  account: ['accountId', 'nrAccountId', 'account_id'],
  workflow: ['workflowName', 'workflow_name'],
  owner: ['owner', 'acknowledgedBy'],
  muting: ['mutingState', 'muting_state'],
  created: ['createdAt', 'activatedAt', 'openedAt'],
  closed: ['closedAt', 'closed_at', 'resolvedAt'],
  updated: ['updatedAt', 'timestamp'],
  targets: [
    'targets',
    'entities',
    'impactedEntities',
    'entityNames',
    'entitiesNames',
    'entityName',
    'targetNames',
    'targetName',
    'entity',
    'target',
  ],
} as const;

export const issueLinks = ['issueUrl', 'issuePageUrl', 'incident_url', 'issueLink', 'link', 'url'] as const;

export const linkMembers: readonly (readonly [text: string, members: readonly string[]])[] = [
  ['Issue', issueLinks],
  ['Runbook', ['runbookUrl', 'runbook_url']],
  ['Chart', ['violationChartUrl', 'violation_chart_url']],
  ['Policy', ['policyUrl', 'policy_url']],
];

/** Members that stand elsewhere on the event, or lead to a button that people should press on purpose; the rest are annotations. */
export const shownElsewhere = new Set<string>([
  ...Object.values(members).flat(),
  ...linkMembers.flatMap(([, known]) => known),
  'duration',
  'isAcknowledged',
  'incident_acknowledge_url',
  'issueAckUrl',
  'incident_api_url',
  'template',
  'tags',
]);
for (const shown of ['details', 'description', 'message', 'summary', 'trigger', 'triggerEvent', 'owner']) shownElsewhere.delete(shown);

/** Texts in which a template may name the issue. */
export const issueTexts: readonly string[] = ['description', 'details', 'message', 'summary', 'title'];

/** Members that merely hold others, by their spelling. */
export const wrappers: ReadonlySet<string> = new Set(
  'payload description details data event alert issue incident body content message custom customdetails customproperties extraproperties fields properties accumulations annotations'.split(
    ' ',
  ),
);

/** Which of the known members a name is, whatever its case and signs: `issue_url` is `issueUrl`. */
export const memberSpelled: ReadonlyMap<string, string> = new Map(
  [...Object.values(members).flat(), ...linkMembers.flatMap(([, known]) => known)].toReversed().map((name) => [spelling(name), name]),
);

export function spelling(name: string): string {
  return name
    .slice(0, 128)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}
