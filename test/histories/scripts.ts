// What happens in each history, by file name. Changing one, or the core, means recording again (histories.test.ts says how).
import type { AlertEvent } from '../../src/core/alert/event.ts';
import type { Playbook } from '../../src/core/playbook/document.ts';
import { minute, second } from '../../src/core/time.ts';
import { eventOf } from '../support/event.ts';
import { playbookOf as playbookWith, policyOf, stepOf } from '../support/policy.ts';
import { record, type Recorder } from './record.ts';

const done = { outcome: 'ok', output: {} } as const;
const broke = { outcome: 'failed', error: 'exit', detail: 'exit code 1', output: {} } as const;
const silent = { outcome: 'unknown', detail: 'no answer within 30000ms' } as const;

/** With the digest that stands in the records. */
function playbookOf(change: Partial<Playbook> = {}): Playbook {
  return playbookWith({ digest: 'sha256:test', ...change });
}

function firing(story: Recorder, change: Partial<AlertEvent> = {}): AlertEvent {
  return eventOf({ startedAt: story.now(), ...change });
}

function cleared(story: Recorder, event: AlertEvent): AlertEvent {
  return { ...event, claim: 'cleared', proof: 'measured', observedAt: story.now() };
}

export const scripts: { readonly [file: string]: () => Recorder } = {
  'restart-heals': () => {
    const story = record(
      'a service is down, the playbook restarts it, the alert clears, nobody is woken',
      policyOf({ playbooks: [playbookOf()] }),
    );
    const down = firing(story);
    story.see(down);
    story.answer(done);
    story.forward(25 * second);
    story.see(cleared(story, down));
    story.forward(15 * minute);
    return story;
  },
  'playbook-fails-and-pages': () => {
    const retry = { times: 1, waitMs: 5 * second, factor: 2, waitMaxMs: minute };
    const story = record(
      'the restart fails twice, a person is paged, takes it and resolves it',
      policyOf({ playbooks: [playbookOf({ steps: [stepOf({ retry })] })] }),
    );
    story.see(firing(story));
    story.answer(broke);
    story.forward(5 * second);
    story.answer(broke);
    story.forward(10 * second);
    story.delivered();
    const [incident = ''] = story.desk().tables.incidents.rows.keys();
    story.forward(minute);
    story.say({ type: 'Acked', incident, by: 'ann', via: 'chat' });
    story.forward(minute);
    story.say({ type: 'Resolved', incident, by: 'ann', via: 'chat', note: 'disk replaced' });
    story.delivered();
    story.forward(15 * minute);
    return story;
  },
  'unknown-outcome-pages': () => {
    const story = record(
      'the restart was sent and never answered: it is not repeated, a person is paged',
      policyOf({ playbooks: [playbookOf()] }),
    );
    story.see(firing(story));
    story.answer(silent);
    story.forward(10 * second);
    story.delivered();
    story.forward(6 * minute);
    story.delivered();
    return story;
  },
  'worker-dies-after-the-grant': () => {
    const story = record('a worker is granted the call and is never heard of again', policyOf({ playbooks: [playbookOf()] }));
    story.see(firing(story));
    const [run] = story.desk().tables.runs.rows.values();
    const call = { run: run?.id ?? '', call: Object.keys(run?.calls ?? {})[0] ?? '' };
    story.say({ type: 'StepClaimed', ...call, worker: 'worker1' });
    story.say({ type: 'StepClaimed', ...call, worker: 'worker2' });
    story.forward(50 * second);
    story.say({ type: 'StepAnswered', ...call, worker: 'worker1', outcome: done, tookMs: 49_000 });
    story.delivered();
    return story;
  },
  'approval-given': () => {
    const story = record(
      'a playbook asks, a person approves, the restart fails, and the answered page rings again',
      policyOf({ playbooks: [playbookOf({ mode: 'approve' })] }),
    );
    story.see(firing(story));
    story.delivered();
    story.forward(minute);
    const [run = ''] = story.desk().tables.runs.rows.keys();
    story.say({ type: 'Approved', run, by: 'bob', via: 'console' });
    story.answer(broke);
    story.delivered();
    return story;
  },
  storm: () => {
    const story = record('five hosts go at once: one incident, one page', policyOf({ storm: { alerts: 3, withinMs: minute } }));
    for (const host of ['web1', 'web2', 'web3', 'web4', 'web5']) {
      story.see(firing(story, { entity: { host }, labels: { alertname: 'HostDown', instance: host }, name: 'HostDown' }));
      story.forward(second);
    }
    story.forward(15 * second);
    story.delivered();
    return story;
  },
  flapping: () => {
    const story = record(
      'an alert comes and goes until it counts as flapping; it is told once, and stays told until it is steady',
      policyOf(),
    );
    for (let round = 0; round < 6; round += 1) {
      const event = firing(story);
      story.see(event);
      story.forward(4 * second);
      story.see(cleared(story, event));
      story.forward(4 * second);
    }
    story.see(firing(story));
    story.forward(minute);
    return story;
  },
  'silence-until-resolved': () => {
    const story = record('maintenance silences a host until it is well again; the next alert pages', policyOf());
    const at = story.now();
    const matchers = [{ name: 'instance', op: '=' as const, value: 'web1' }];
    const silence = { id: 's1', matchers, startsAt: at, endsAt: at + 60 * minute, untilResolved: true, by: 'ann', comment: 'new kernel' };
    story.say({ type: 'SilenceSet', silence });
    const down = firing(story);
    story.see(down);
    story.forward(minute);
    story.see(cleared(story, down));
    story.forward(minute);
    story.see(firing(story));
    story.forward(20 * second);
    story.delivered();
    return story;
  },
};
