// What every action must hold, tried against a real target that obeys, refuses, or never answers.
//   C1  It never rejects, and says `ok` or `failed` when that is known.
//   C2  It ends within its timeout and a second, and at once when it is called off.
//   C3  An input that its schema does not admit changes nothing.
//   C4  One call has one effect.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { guarded } from '../../adapters/kit/action-guard.ts';
import type { Json } from '../../src/core/json.ts';
import type { ActionOutcome } from '../../src/core/run/outcome.ts';
import type { Action } from '../../src/ports/action.ts';
import { until } from '../support/living.ts';

type Input = { readonly [name: string]: Json };

export interface ActionSubject {
  readonly action: Action;
  readonly good: Input;
  /** The target says no. */
  readonly refused: Input;
  /** The target never answers; null for an action that waits for nobody. */
  readonly endless: Input | null;
  /** Against the schema, one by one; unknown members and missing ones are tried anyway. */
  readonly wrong: readonly Input[];
  /** Least timeout that the good call fits into. */
  readonly timeoutMs: number;
  /** How often the target has been reached so far; null when looking leaves no trace. */
  readonly effects: (() => number) | null;
  stop(): Promise<void>;
}

const idle = new AbortController().signal;

export function actionContract(name: string, start: () => Promise<ActionSubject>): void {
  describe(`${name} as an action`, () => {
    let subject: ActionSubject;
    let action: Action | undefined;
    let calls = 0;
    const effects = (): number => subject.effects?.() ?? 0;
    const act = (input: Input, timeoutMs: number = subject.timeoutMs, signal: AbortSignal = idle): Promise<ActionOutcome> => {
      assert.ok(action);
      return action.act({ input, key: `contract-${(calls += 1)}`, timeoutMs }, signal);
    };
    before(async () => {
      subject = await start();
      [action] = guarded([subject.action]);
    });
    after(() => subject.stop());

    test('its schema is closed and its name has two parts', () => {
      assert.equal(subject.action.name, name);
      assert.equal((subject.action.input as { additionalProperties?: unknown }).additionalProperties, false);
    });

    test('C1, C4: a good call is ok and reaches the target exactly once', async () => {
      const earlier = effects();

      const outcome = await act(subject.good);

      assert.equal(outcome.outcome, 'ok', JSON.stringify(outcome));
      // A program that was started may be slow to get there; one started twice, too.
      await until('it reaches the target', () => subject.effects === null || effects() > earlier);
      await sleep(50);
      assert.equal(effects() - earlier, subject.effects === null ? 0 : 1);
    });

    test('C1: a target that says no is `failed`, with a fixed word and a sentence', async () => {
      const outcome = await act(subject.refused);

      assert.equal(outcome.outcome, 'failed');
      assert.match(outcome.outcome === 'failed' ? outcome.error : '', /^[a-z_]+$/);
      assert.match(outcome.outcome === 'failed' ? outcome.detail : '', /^[a-z]+: .{10,}/);
    });

    test('C2: a target that never answers costs the timeout and a second at most', async () => {
      if (subject.endless === null) return;
      const startedAt = performance.now();

      const outcome = await act(subject.endless, 300);

      const tookMs = performance.now() - startedAt;
      assert.ok(tookMs >= 250 && tookMs <= 1_300, `took ${tookMs}ms`);
      assert.equal(outcome.outcome, subject.action.effect === 'read' ? 'failed' : 'unknown');
    });

    test('C2: a call under way ends when it is called off', async () => {
      if (subject.endless === null) return;
      const aborter = new AbortController();
      setTimeout(() => aborter.abort(), 100);
      const startedAt = performance.now();

      const outcome = await act(subject.endless, 10_000, aborter.signal);

      assert.ok(performance.now() - startedAt < 5_000);
      assert.equal(outcome.outcome, subject.action.effect === 'read' ? 'failed' : 'unknown');
    });

    test('a call that was called off before it began changes nothing', async () => {
      const earlier = effects();

      const outcome = await act(subject.good, subject.timeoutMs, AbortSignal.abort());

      assert.equal(outcome.outcome, 'failed');
      await sleep(50);
      assert.equal(effects(), earlier);
    });

    test('C3: an input against the schema changes nothing', async () => {
      const earlier = effects();
      const polluted = JSON.parse(JSON.stringify(subject.good).replace('{', '{"__proto__":{"x":1},')) as Input;

      for (const input of [{}, { ...subject.good, surprise: 1 }, polluted, ...subject.wrong]) {
        const outcome = await act(input);
        assert.equal(outcome.outcome === 'failed' && outcome.error, 'invalid_input', JSON.stringify(input).slice(0, 200));
      }

      await sleep(50);
      assert.equal(effects(), earlier);
    });
  });
}
