// Words for stories about runs and pages: begin one, clear the alert, claim, and what was asked for.
import assert from 'node:assert/strict';
import type { Playbook, Proving, Verify } from '../../src/core/playbook/document.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import type { Fact } from '../../src/core/records.ts';
import type { RunEnd, StepRequested } from '../../src/core/run/facts.ts';
import { second } from '../../src/core/time.ts';
import { eventOf } from './event.ts';
import { playbookOf, policyOf } from './policy.ts';
import { done, tell, type Story } from './story.ts';

/** A story in which the alert of `eventOf` has met one playbook. */
export function began(change: Partial<Playbook> = {}, policy: Partial<Policy> = {}): Story {
  const story = tell(policyOf({ playbooks: [playbookOf(change)], ...policy }));
  story.see(eventOf());
  return story;
}

/** A look that proves the service well. */
export const probe: Proving = {
  kind: 'probe',
  expect: 'result.ok && result.status == 200',
  uses: 'test/get',
  with: {},
  timeoutMs: 5 * second,
};
export const well = { outcome: 'ok', output: { status: 200 } } as const;

/** A story whose only step is done, and which has to be proven now. */
export function proving(change: Partial<Verify>, also: Partial<Playbook> = {}): Story {
  const story = began({ verify: { ...playbookOf().verify, ...change }, ...also });
  story.answer(done);
  return story;
}

export function clears(story: Story): void {
  story.see(eventOf({ claim: 'cleared', observedAt: story.now() + 1 }));
}

export function fires(story: Story): void {
  story.see(eventOf({ startedAt: story.now(), observedAt: story.now() }));
}

export function callOf(story: Story): StepRequested {
  const call = story.openCall();
  assert.ok(call !== null, 'a call is open');
  return call;
}

export function claim(story: Story, call: StepRequested, worker: string): readonly Fact[] {
  return story.say({ type: 'StepClaimed', run: call.run, call: call.call, worker });
}

/** Names of all calls asked for, in order. */
export function asked(story: Story): readonly string[] {
  return story.all('StepRequested').map((fact) => fact.call);
}

/** How the last run ended. */
export function end(story: Story): string {
  return story.last('RunFinished').end;
}

/** How all runs ended, in order. */
export function ends(story: Story): readonly RunEnd[] {
  return story.all('RunFinished').map((fact) => fact.end);
}

export function incidentOf(story: Story): string {
  return story.last('IncidentOpened').incident;
}

export function paged(story: Story): number {
  return story.all('PageOpened').length;
}
