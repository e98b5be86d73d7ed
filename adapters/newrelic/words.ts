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

export const claimWords = new Map<string, Claim | 'test'>([
  ['created', 'firing'],
  ['activated', 'firing'],
  ['open', 'firing'],
  ['incident_open', 'firing'],
  ['acknowledged', 'acknowledged'],
  ['incident_acknowledged', 'acknowledged'],
  ['investigating', 'acknowledged'],
  ['closed', 'cleared'],
  ['resolved', 'cleared'],
  ['incident_closed', 'cleared'],
  ['incident_resolved', 'cleared'],
  ['test', 'test'],
  ['notification_test', 'test'],
]);

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
  issue: ['issueId', 'issue_id', 'id', 'incident_id', 'incidentId'],
  state: ['state', 'current_state', 'issueState', 'event_type'],
  trigger: ['trigger', 'triggerEvent'],
  severity: ['priority', 'severity'],
  title: ['title', 'issueTitle', 'details'],
  condition: ['conditionName', 'alertConditionNames', 'condition_name'],
  conditionKey: ['condition_family_id', 'conditionFamilyId', 'condition_id', 'conditionName', 'alertConditionNames', 'condition_name'],
  policy: ['policyName', 'alertPolicyNames', 'policy_name'],
  account: ['accountId', 'nrAccountId', 'account_id'],
  workflow: ['workflowName', 'workflow_name'],
  owner: ['owner', 'acknowledgedBy'],
  muting: ['mutingState', 'muting_state'],
  created: ['createdAt', 'activatedAt'],
  updated: ['updatedAt', 'timestamp'],
  targets: ['targets', 'entities', 'impactedEntities'],
} as const;

export const linkMembers: readonly (readonly [text: string, members: readonly string[]])[] = [
  ['Issue', ['issueUrl', 'issuePageUrl', 'incident_url']],
  ['Runbook', ['runbookUrl', 'runbook_url']],
  ['Chart', ['violationChartUrl', 'violation_chart_url']],
  ['Policy', ['policyUrl', 'policy_url']],
];

/** Members that stand elsewhere on the event, or lead to a button that people should press on purpose; the rest are annotations. */
export const shownElsewhere = new Set<string>([
  ...Object.values(members).flat(),
  ...linkMembers.flatMap(([, known]) => known),
  'closedAt',
  'closed_at',
  'duration',
  'isAcknowledged',
  'incident_acknowledge_url',
  'issueAckUrl',
  'incident_api_url',
  'template',
  'tags',
]);
for (const shown of ['details', 'trigger', 'triggerEvent', 'owner']) shownElsewhere.delete(shown);
