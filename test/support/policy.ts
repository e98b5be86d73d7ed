// Small policies and playbooks for tests, every field said, so that a test names only what it is about.
import { digestOf } from '../../src/config/playbook/digest.ts';
import type { Ladder } from '../../src/core/page/ladder.ts';
import type { Playbook, Step } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { hour, minute, second } from '../../src/core/time.ts';

export const ladder: Ladder = {
  name: 'default',
  rungs: [
    { notify: ['first'], waitMs: 5 * minute },
    { notify: ['second'], waitMs: 5 * minute },
  ],
  repeat: 1,
  ackTimeoutMs: 30 * minute,
};

export function policyOf(change: Partial<Policy> = {}): Policy {
  const { playbooks = [], ...rest } = change;
  return {
    digest: `sha256:${JSON.stringify(change).length}`,
    playbooks: playbooks.map(digested),
    ladders: { default: ladder },
    routes: [],
    grouping: { windowMs: 5 * minute, labels: [], reopenMs: 10 * minute, membersMax: 500 },
    storm: { alerts: 100, withinMs: minute },
    flap: { startPercent: 30, stopPercent: 20 },
    paging: { severity: 'error', score: 0.3 },
    settleMs: 10 * second,
    holdOffMs: 2 * minute,
    staleMs: 72 * hour,
    ...rest,
  };
}

/** A playbook of a test has the digest of what it says, unless the test names one: desks keep playbooks by digest. */
function digested(playbook: Playbook): Playbook {
  return playbook.digest === '' ? { ...playbook, digest: digestOf(playbook) } : playbook;
}

export function stepOf(change: Partial<Step> = {}): Step {
  return {
    id: 'restart',
    uses: 'test/restart',
    with: { name: '$params.service' },
    timeoutMs: 30 * second,
    when: null,
    retry: { times: 0, waitMs: 5 * second, factor: 2, waitMaxMs: minute },
    onUnknown: 'stop',
    continueOnError: false,
    undo: null,
    ...change,
  };
}

export function playbookOf(change: Partial<Playbook> = {}): Playbook {
  return {
    name: 'restart-service',
    version: '1.0.0',
    summary: 'restarts a service',
    owner: 'team/sre',
    mode: 'auto',
    triggers: [{ on: 'alert', when: 'alert.name == "ServiceDown"', forMs: 0 }],
    params: { service: { type: 'string', from: 'alert.service', fallback: null, pattern: '[a-z-]+', maxLength: 64, oneOf: null } },
    target: '$params.service',
    guards: { cooldownMs: 0, attempts: null, concurrency: 10, confidence: 0, approveWithinMs: 10 * minute },
    diagnose: [],
    steps: [stepOf()],
    verify: {
      withinMs: 10 * minute,
      everyMs: 10 * second,
      stableForMs: 0,
      require: 'all',
      proofs: [{ kind: 'resolved' }],
      otherwise: 'escalate',
    },
    escalate: { ladder: null, say: '' },
    digest: '',
    ...change,
  };
}
