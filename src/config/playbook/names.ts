// The names that expressions and references of a playbook may use, by place. The values come from core/playbook/environment.ts.

export const alertNames = [
  'name',
  'summary',
  'severity',
  'source',
  'state',
  'labels',
  'annotations',
  'host',
  'ip',
  'service',
  'pod',
  'namespace',
  'cluster',
  'count',
  'fingerprint',
] as const;

export const incidentNames = [
  'id',
  'title',
  'severity',
  'score',
  'members',
  'firing',
  'sources',
  'storm',
  'name',
  'host',
  'service',
] as const;

export type Root = 'alert' | 'incident' | 'params' | 'steps' | 'target' | 'result';

/** What each kind of place sees. */
export const sees = {
  trigger: ['alert', 'incident'],
  param: ['alert', 'incident'],
  /** Only what went through a parameter's type, pattern and length: the target is a lock, and may stand in a command line. */
  target: ['params'],
  work: ['params', 'steps', 'alert', 'incident', 'target'],
  expect: ['result', 'params', 'steps', 'alert', 'incident', 'target'],
  route: ['incident', 'alert'],
} as const satisfies { readonly [place: string]: readonly Root[] };
