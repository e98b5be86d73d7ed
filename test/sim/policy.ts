// The policies of simulated worlds: one playbook for each way a run can go, short times, small ladders.
import type { Ladder } from '../../src/core/page/ladder.ts';
import type { Guards, Playbook, Verify } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second, type Millis } from '../../src/core/time.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import type { Random } from './random.ts';

export const notifierNames = ['chat', 'phone', 'mail', 'boss'] as const;

/** Names of alerts; all but the last two have a playbook. */
export const troubleNames = ['Down', 'Probe', 'Flaky', 'Chain', 'Ask', 'Shade', 'Cool', 'Look', 'Lasts', 'Plain', 'Minor'] as const;

const ladders: { readonly [name: string]: Ladder } = {
  default: {
    name: 'default',
    rungs: [
      { notify: ['chat'], waitMs: 2 * minute },
      { notify: ['phone', 'mail'], waitMs: 15 * minute }, // rung until somebody has it; a world lives for hours
    ],
    repeat: 1,
    ackTimeoutMs: 8 * minute,
  },
  urgent: {
    name: 'urgent',
    rungs: [
      { notify: ['chat'], waitMs: minute },
      { notify: ['phone'], waitMs: 2 * minute },
      { notify: ['boss', 'phone'], waitMs: 15 * minute },
    ],
    repeat: 0,
    ackTimeoutMs: 0,
  },
};

const call = { with: { host: '$params.host', kind: '$params.kind' }, timeoutMs: 20 * second };
const act = stepOf({ ...call, id: 'act', uses: 'sim/act' });
const look = { ...call, uses: 'sim/look' };
const probe = { ...look, kind: 'probe' as const, expect: 'result.healthy == true' };
const resolved: Verify = {
  withinMs: 90 * second,
  everyMs: 10 * second,
  stableForMs: 0,
  require: 'all',
  proofs: [{ kind: 'resolved' }],
  otherwise: 'escalate',
};
const retry = { times: 2, waitMs: 5 * second, factor: 2, waitMaxMs: minute };
const undo = { ...call, uses: 'sim/undo' };

const many: Guards = { cooldownMs: 0, attempts: null, concurrency: 10, confidence: 0, approveWithinMs: 3 * minute };

function book(name: string, change: Partial<Playbook> = {}): Playbook {
  const text = (from: string) => ({ type: 'string' as const, from, fallback: null, pattern: null, maxLength: 64, oneOf: null });
  return playbookOf({
    name: `heal-${name}`,
    triggers: [{ on: 'alert', when: `alert.name == "${name}"`, forMs: 0 }],
    params: { host: text('alert.host'), kind: text('alert.name') },
    target: '$params.host',
    guards: many,
    steps: [act],
    verify: resolved,
    ...change,
  });
}

const playbooks: readonly Playbook[] = [
  book('Down', { steps: [{ ...act, timeoutMs: 3 * minute }] }),
  book('Probe', { guards: { ...many, concurrency: 1 }, verify: { ...resolved, stableForMs: 15 * second, proofs: [probe] } }),
  book('Flaky', {
    guards: { ...many, blastRadius: { max: 1, perMs: 5 * minute } },
    steps: [{ ...act, onUnknown: 'retry', retry }],
    verify: { ...resolved, require: 'any', proofs: [{ kind: 'resolved' }, probe] },
  }),
  book('Chain', {
    group: 'hosts',
    guards: { ...many, blastRadius: null, floor: { name: 'hosts', members: 4, healthy: 3 } },
    steps: [
      { ...act, id: 'drain', undo, continueOnError: true },
      { ...act, id: 'restart', undo, retry: { ...retry, times: 1 } },
    ],
    verify: { ...resolved, withinMs: 40 * second, proofs: [{ kind: 'resolved' }, probe], otherwise: 'rollback' },
  }),
  book('Ask', { mode: 'approve', escalate: { ladder: 'urgent', say: '' } }),
  book('Shade', { mode: 'shadow', diagnose: [{ ...look, kind: 'look', id: 'see', continueOnError: true }] }),
  book('Cool', {
    guards: { cooldownMs: 90 * second, attempts: { max: 1, perMs: hour }, concurrency: 1, confidence: 0, approveWithinMs: minute },
  }),
  book('Look', {
    diagnose: [
      { ...look, kind: 'look', id: 'see', continueOnError: false },
      { kind: 'check', check: 'steps.see.healthy == false', otherwise: 'end', say: 'healthy already' },
    ],
  }),
  book('Lasts', { triggers: [{ on: 'incident', when: 'alert.name == "Lasts"', forMs: 30 * second }] }),
];

/** What becomes of a playbook when people publish anew: most stay, some are deleted, switched to another mode, or say something else. */
function edited(random: Random, playbook: Playbook, number: number, about: string): readonly Playbook[] {
  const lot = random.int(0, playbook.name === about ? 2 : 9);
  if (lot === 0) return [];
  if (lot === 1) return [{ ...playbook, mode: random.pick(['off', 'shadow', 'approve', 'auto']) }];
  return [lot === 2 ? { ...playbook, version: `1.0.${number}` } : playbook];
}

/** Of a world that lasts long: whoever repeats what lasts is silent for less. */
export const longStaleMs: Millis = 20 * hour;
export const usualStaleMs: Millis = 45 * minute;

/** A policy drawn for a world; `number` makes it another policy than the one before. Where silence lasts for long, nobody is called meanwhile. */
export function simPolicy(random: Random, number: number, staleMs: Millis, about = ''): Policy {
  return policyOf({
    digest: `sha256:sim-${number}`,
    playbooks: number === 0 ? playbooks : playbooks.flatMap((playbook) => edited(random, playbook, number, about)),
    ladders,
    routes: [
      { when: 'alert.name == "Probe" || incident.severity == "critical"', ladder: 'urgent' },
      { when: null, ladder: 'default' },
    ],
    grouping: { windowMs: minute, labels: [], reopenMs: random.pick([minute, 5 * minute]), membersMax: random.pick([3, 100]) },
    storm: { alerts: random.pick([2, 4, 100]), withinMs: minute },
    paging: staleMs === longStaleMs ? { severity: 'critical', score: 2 } : { severity: 'warning', score: 0.2 },
    settleMs: random.pick([0, 5 * second, 20 * second]),
    holdOffMs: random.pick([0, 30 * second, 2 * minute]),
    staleMs,
    delivery: { keepTryingMs: 24 * hour, lastResort: [], bundleMs: random.pick([0, 30 * second]) },
  });
}
