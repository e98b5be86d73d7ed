// E1: what calls of a run gave: last lines in documents and on the timeline, whole on demand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import supertest from 'supertest';
import { patchesOf } from '../../src/readmodel/patches.ts';
import { entryOf } from '../../src/readmodel/timeline.ts';
import type { Diagnosis } from '../../src/core/playbook/document.ts';
import { second } from '../../src/core/time.ts';
import { began } from '../support/play.ts';
import type { Story } from '../support/story.ts';
import { front, showing, tokens } from './support.ts';

const look: Diagnosis = { kind: 'look', id: 'disk', uses: 'shell/check', with: { argv: ['df'] }, timeoutMs: second, continueOnError: true };
const long = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`).join('\n');
const outcomes = [
  { outcome: 'ok', output: { exitCode: 0, stdout: long, json: { a: 1 } } },
  { outcome: 'failed', error: 'exit', detail: 'exit code 1', output: { exitCode: 1, stderr: 'no such unit\nreally' } },
] as const;

function told(): Story {
  const story = began({ diagnose: [look] });
  for (const outcome of outcomes) story.answer(outcome);
  return story;
}

test('E1: the last lines of what looks and steps gave are in the run and on the timeline, and where the whole is', () => {
  const story = told();
  const steps = story.facts
    .flatMap((fact) => patchesOf(fact, 3))
    .flatMap((patch) => (patch.kind === 'run' ? Object.entries(patch.put?.steps ?? {}) : []));
  const last = ['…', ...long.split('\n').slice(-10)].join('\n');
  const inputs = story.all('StepFinished').map(({ input }) => input);
  assert.ok(inputs.every((input) => typeof input === 'number'));
  assert.deepEqual(steps, [
    ['diagnose/disk/1', { outcome: 'ok', tookMs: 5, output: last, input: `3:${inputs[0]}` }],
    [
      'steps/restart/1',
      { outcome: 'failed', tookMs: 5, detail: 'exit code 1', output: 'exitCode: 1\nno such unit\nreally', input: `3:${inputs[1]}` },
    ],
  ]);
  const lines = story.all('StepFinished').map((fact) => entryOf(fact)?.detail['output']);
  assert.deepEqual(lines, [last, 'exitCode: 1\nno such unit\nreally']);
});

test('E1: a call that nobody took, or that gave nothing, has no output and no place of one', () => {
  const story = began();
  story.forward(60 * second);
  const finished = story.last('StepFinished');
  assert.equal(finished.input, undefined);
  assert.partialDeepStrictEqual(patchesOf(finished, 0)[0], { put: { steps: { 'steps/restart/1': { outcome: 'failed' } } } });
});

test('E1: the whole output is answered from the log while it is kept, to whoever may see the run, and never another record', async (t) => {
  const made = await front();
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  const to = supertest(`http://127.0.0.1:${port}`);
  const say = (type: 'StepAnswered' | 'StepClaimed', call: string): Promise<number> => {
    const base = { scope: 'default', at: 1, run: 'r1.default', call, worker: 'w1' };
    const value = type === 'StepClaimed' ? { ...base, type } : { ...base, type, outcome: outcomes[1], tookMs: 5 };
    return made.store.log.append('inputs', { partition: 1, scope: 'default', values: [value] });
  };
  const answered = await say('StepAnswered', 'steps/restart/1');
  const claimed = await say('StepClaimed', 'steps/other/1');
  const of = (call: string, input: string): object => ({ [call]: { outcome: 'failed', tookMs: 5, input } });
  const steps = {
    ...of('steps/restart/1', `1:${answered}`),
    ...of('steps/other/1', `1:${claimed}`),
    ...of('steps/swapped/1', `1:${answered}`),
    ...of('steps/gone/1', '1:4711'),
    ...of('steps/none/1', ''),
  };
  await showing(made.store, [{ kind: 'run', id: 'r1.default', scope: 'default', at: 1, begins: true, set: { steps } as object }]);
  const ask = (call: string): supertest.Test =>
    to.get(`/api/v1/runs/r1.default/output?call=${encodeURIComponent(call)}`).set('authorization', `Bearer ${tokens.read}`);

  const { body } = await ask('steps/restart/1').expect(200);
  assert.deepEqual(body, {
    run: 'r1.default',
    call: 'steps/restart/1',
    outcome: 'failed',
    detail: 'exit code 1',
    output: outcomes[1].output,
  });
  for (const call of ['steps/other/1', 'steps/swapped/1', 'steps/gone/1', 'steps/none/1', 'steps/unknown/1', '__proto__', 'toString']) {
    assert.match((await ask(call).expect(404)).body.detail, /it gave none, or is no longer kept/, call);
  }
  assert.match((await ask('').expect(400)).body.detail, /expected one of steps\/restart\/1, steps\/other\/1/);
});
