// What is in force before any policy was published: nothing pages and nothing acts, and core holds everything until there is one (core/decide B5).
import type { Policy } from '../../core/playbook/policy.ts';

export const noPolicy: Policy = {
  digest: '',
  playbooks: [],
  ladders: {},
  routes: [],
  grouping: { windowMs: 300_000, labels: [], reopenMs: 600_000, membersMax: 500 },
  storm: { alerts: 100, withinMs: 60_000 },
  flap: { startPercent: 30, stopPercent: 20 },
  paging: { severity: 'critical', score: 1 },
  settleMs: 10_000,
  holdOffMs: 120_000,
  staleMs: 259_200_000,
};
