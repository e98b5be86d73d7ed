// Runs test cases of playbooks on the real core in virtual time: `quench playbook test`.
// One case, one world, one playbook: what other playbooks would do is not the case's business. The rules are the defaults.
import type { CaseAnswer, CaseCall, PlaybookCase } from '../config/playbook/cases.ts';
import { canonicalJson, digestOf } from '../config/playbook/digest.ts';
import { configDefaults } from '../config/quench/defaults.ts';
import type { Playbook } from '../core/playbook/document.ts';
import type { Expressions } from '../core/playbook/expressions.ts';
import type { Policy } from '../core/playbook/policy.ts';
import type { Fact } from '../core/records.ts';
import type { StepRequested } from '../core/run/facts.ts';
import type { Instant } from '../core/time.ts';
import { createWorld } from './replay/world.ts';

/** 2026-01-01T00:00:00Z; cases count from here. */
const caseStart: Instant = 1_767_225_600_000;
const scope = 'default';
const silentAnswer: CaseAnswer = { outcome: { outcome: 'ok', output: {} }, takesMs: 0 };

/** What the playbook did in a case. */
export interface CaseResult {
  /** How the last run of the playbook ended; `working` when it had not. */
  readonly ended: PlaybookCase['expected']['ended'] | 'working';
  readonly why: string;
  readonly paged: boolean;
  readonly calls: readonly CaseCall[];
}

/** What quench.yaml says when it says nothing: no playbooks, one ladder. */
export function defaultPolicy(playbooks: readonly Playbook[] = []): Policy {
  const { grouping, storm, flap, paging, settleMs, holdOffMs, staleMs, ladder, rungWaitMs } = configDefaults;
  const policy: Omit<Policy, 'digest'> = {
    playbooks,
    ladders: { default: { name: 'default', rungs: [{ notify: ['simulated'], waitMs: rungWaitMs }], ...ladder } },
    routes: [{ when: null, ladder: 'default' }],
    grouping,
    storm,
    flap,
    paging,
    settleMs,
    holdOffMs,
    staleMs,
  };
  return { digest: digestOf(policy), ...policy };
}

/** Plays the case up to its end and tells what the playbook did. */
export function runCase(playbookCase: PlaybookCase, playbook: Playbook, expressions: Expressions): CaseResult {
  const policy = defaultPolicy([playbookCase.mode === null ? playbook : { ...playbook, mode: playbookCase.mode }]);
  const facts: Fact[] = [];
  const answer = answersOf(playbookCase);
  const world = createWorld(
    { policy, frozen: null, installation: null, expressions },
    { answer, onFact: (fact) => void facts.push(fact) },
    caseStart,
  );
  const events = [
    ...playbookCase.alerts.map(({ atMs, event }) => ({ atMs, tell: () => tell(event) })),
    ...(playbookCase.approval === null ? [] : [{ atMs: playbookCase.approval.atMs, tell: approve }]),
  ].sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, tell: happen } of events) {
    world.forward(caseStart + atMs);
    happen();
  }
  world.forward(caseStart + playbookCase.untilMs);
  return resultIn(facts);

  function tell(event: PlaybookCase['alerts'][number]['event']): void {
    const placed = { ...event, startedAt: caseStart + event.startedAt, observedAt: caseStart + event.observedAt };
    world.say({ type: 'AlertSeen', scope, at: world.now(), endpoint: 'case', delivery: '', index: 0, event: placed });
  }

  function approve(): void {
    const asked = facts.findLast((fact) => fact.type === 'ApprovalRequested');
    if (asked === undefined || playbookCase.approval === null) return;
    const person = { scope, at: world.now(), run: asked.run, by: 'tester', via: 'case' };
    world.say(playbookCase.approval.approved ? { type: 'Approved', ...person } : { type: 'Denied', ...person, note: '' });
  }
}

/** The scripted answers of each step, attempt by attempt; the last one is given again. */
function answersOf({ answers }: PlaybookCase): (request: StepRequested) => CaseAnswer {
  const given = new Map<string, number>();
  return (request) => {
    const key = keyOf(request);
    const ofStep = answers.get(key) ?? [];
    const place = given.get(key) ?? 0;
    given.set(key, place + 1);
    return ofStep[Math.min(place, ofStep.length - 1)] ?? silentAnswer;
  };
}

function keyOf(request: StepRequested): string {
  return request.phase === 'undo' ? `undo/${request.step}` : request.step;
}

function resultIn(facts: readonly Fact[]): CaseResult {
  const asked = new Map<string, StepRequested>();
  const calls: CaseCall[] = [];
  let ended: CaseResult['ended'] = 'none';
  let why = 'no playbook was chosen';
  let paged = false;
  for (const fact of facts) {
    if (fact.type === 'RunStarted') [ended, why] = ['working', 'it had not ended when the case was over'];
    else if (fact.type === 'RunFinished') [ended, why] = [fact.end, fact.reason];
    else if (fact.type === 'RunRefused') [ended, why] = ['refused', `${fact.guard}: ${fact.reason}`];
    else if (fact.type === 'PageOpened') paged = true;
    else if (fact.type === 'StepRequested') asked.set(`${fact.run}|${fact.call}`, fact);
    else if (fact.type === 'StepGranted') {
      const request = asked.get(`${fact.run}|${fact.call}`);
      if (request !== undefined) calls.push({ step: keyOf(request), uses: request.uses, with: request.input });
    }
  }
  return { ended, why, paged, calls };
}

/** What was expected and not seen, a sentence each; empty when the case holds. */
export function differences({ expected }: PlaybookCase, result: CaseResult): readonly string[] {
  const found: string[] = [];
  if (result.ended !== expected.ended) found.push(`expected to end ${expected.ended}, seen ${result.ended} (${result.why})`);
  if (result.paged !== expected.paged) found.push(`expected ${pagedWord(expected.paged)}, seen ${pagedWord(result.paged)}`);
  if (expected.calls === null) return found;
  const count = Math.max(expected.calls.length, result.calls.length);
  for (let place = 0; place < count; place++) {
    const wanted = callText(expected.calls[place]);
    const had = callText(result.calls[place]);
    if (wanted !== had) found.push(`call ${place + 1}: expected ${wanted}, seen ${had}`);
  }
  return found;
}

function pagedWord(paged: boolean): string {
  return paged ? 'a page' : 'no page';
}

function callText(call: CaseCall | undefined): string {
  return call === undefined ? 'none' : `${call.step}: ${call.uses} ${canonicalJson(call.with)}`;
}
