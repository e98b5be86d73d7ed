// Ways to every end of a run, with the alert firing on: the first playbook of a story, changed, and what happens to it.
import type { Playbook } from '../../src/core/playbook/document.ts';
import type { Outcome } from '../../src/core/run/ends.ts';
import type { RunEnd } from '../../src/core/run/facts.ts';
import { minute, second } from '../../src/core/time.ts';
import { probe, well } from './play.ts';
import { playbookOf, stepOf } from './policy.ts';
import { broke, done, silent, type Story } from './story.ts';

export interface Way {
  readonly change?: Partial<Playbook>;
  readonly play: (story: Story) => void;
}

export const cancels = (story: Story): unknown =>
  story.say({ type: 'CommandGiven', command: { name: 'cancel', run: story.last('RunStarted').run }, by: 'ann' });

const approving: Partial<Playbook> = { mode: 'approve' };
const probed = { ...playbookOf().verify, proofs: [probe] };
const rollback = { ...playbookOf().verify, otherwise: 'rollback' as const };
const undone = [stepOf({ id: 'a', undo: { uses: 'test/undo', with: {}, timeoutMs: second } }), stepOf({ id: 'b' })];

export const ways: { readonly [end in Outcome]: Way } = {
  succeeded: { change: { verify: probed }, play: (story) => [done, well].map(story.answer) },
  noop: { change: { diagnose: [{ kind: 'check', check: 'false', otherwise: 'end', say: '' }] }, play: () => undefined },
  failed: { play: (story) => story.answer(broke) },
  unknown: { play: (story) => story.answer(silent) },
  degraded: { change: { steps: [stepOf({ continueOnError: true })], verify: probed }, play: (story) => [broke, well].map(story.answer) },
  'rolled-back': { change: { steps: undone, verify: rollback }, play: (story) => [done, broke, done].map(story.answer) },
  stuck: { change: { steps: undone, verify: rollback }, play: (story) => [done, broke, broke].map(story.answer) },
  cancelled: { play: cancels },
  expired: { change: approving, play: (story) => story.forward(10 * minute) },
  denied: {
    change: approving,
    play: (story) => story.say({ type: 'Denied', run: story.last('RunStarted').run, by: 'ann', via: 'api', note: '' }),
  },
  shadowed: { change: { mode: 'shadow' }, play: () => undefined },
  refused: { change: { guards: { ...playbookOf().guards, attempts: { max: 0, perMs: minute } } }, play: () => undefined },
};

/** Ends of runs, without the playbook that was refused; and whether a person is called within seconds while the alert fires. */
export const endings: readonly (Way & { readonly end: RunEnd; readonly calls: boolean })[] = Object.entries(ways).flatMap(([end, way]) =>
  end === 'refused' ? [] : [{ ...way, end: end as RunEnd, calls: end !== 'succeeded' && end !== 'noop' }],
);
