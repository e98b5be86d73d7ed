// Which playbook answers an incident, with which parameters, and whether its guards let it act now.
// Decides only; the run itself is run.ts.
//   G1  No empty and no unbounded target: a parameter or target without a plain value refuses the run.
//   G2  One run holds a target at a time, whatever playbook it runs.
//   G3  Every refusal names the guard, the numbers compared, and what would lift it.
import type { Alert } from './alert.ts';
import type { Incident } from './desk.ts';
import { alertEnvironment, incidentEnvironment } from './environment.ts';
import { fail, ok, type Result } from './errors.ts';
import type { Turn } from './law.ts';
import { muteOf } from './mute.ts';
import type { Json, Param, Playbook, Trigger } from './playbook.ts';
import type { Guard } from './records.ts';
import { fill, type Environment } from './template.ts';
import { spanOf, type Instant, type Millis } from './time.ts';

export type Choice =
  | { readonly kind: 'none' }
  /** A playbook will match if things stay as they are for so long. */
  | { readonly kind: 'wait'; readonly playbook: string; readonly waitMs: Millis }
  | { readonly kind: 'match'; readonly playbook: Playbook; readonly environment: Environment };

const membersTried = 50;

/** The first playbook, in the policy's order, that was not tried in this life and whose condition holds. */
export function choose(turn: Turn, incident: Incident, arrived: string | null): Choice {
  const view = viewsFor(turn, incident);
  let wait: Choice = { kind: 'none' };
  for (const playbook of turn.law.policy.playbooks) {
    if (playbook.mode === 'off' || incident.tried.includes(playbook.name)) continue;
    for (const trigger of playbook.triggers) {
      const found = matching(turn, incident, view, trigger, arrived);
      if (found === null) continue;
      const waitMs = found.since + trigger.forMs - turn.at;
      if (waitMs <= 0) return { kind: 'match', playbook, environment: found.environment };
      if (wait.kind !== 'wait' || waitMs < wait.waitMs) wait = { kind: 'wait', playbook: playbook.name, waitMs };
    }
  }
  return wait;
}

/** What conditions see of one alert of the incident, made once however many conditions look at it. */
function viewsFor(turn: Turn, incident: Incident): (alert: Alert) => Environment {
  const incidentView = incidentEnvironment(turn.desk, incident);
  const made = new Map<string, Environment>();
  return (alert) => {
    const view = made.get(alert.fingerprint) ?? { alert: alertEnvironment(alert), incident: incidentView };
    made.set(alert.fingerprint, view);
    return view;
  };
}

interface Matching {
  readonly environment: Environment;
  /** Since when the condition can have held: this life of the incident and, of an alert, its start. */
  readonly since: Instant;
}

function matching(
  turn: Turn,
  incident: Incident,
  view: (alert: Alert) => Environment,
  trigger: Trigger,
  arrived: string | null,
): Matching | null {
  const fingerprints = trigger.on === 'incident' ? [incident.root] : arrived === null ? incident.listed.slice(0, membersTried) : [arrived];
  let longest: Matching | null = null;
  for (const fingerprint of fingerprints) {
    const held = turn.desk.tables.alerts.rows.get(fingerprint);
    if (held?.alert.state !== 'firing' || muteOf(turn, held) !== null) continue;
    const environment = view(held.alert);
    const holds = turn.law.expressions.evaluate(trigger.when, environment);
    if (!holds.ok || holds.value !== true) continue;
    const begun = trigger.on === 'alert' ? Math.min(held.alert.startedAt, turn.at) : 0;
    const since = Math.max(incident.lifeAt, begun);
    if (longest === null || since < longest.since) longest = { environment, since };
    if (longest.since + trigger.forMs <= turn.at) break;
  }
  return longest;
}

export interface Plan {
  readonly params: { readonly [name: string]: Json };
  readonly target: string;
}

export interface Refusal {
  readonly guard: Guard;
  readonly target: string;
  readonly reason: string;
}

/** Parameters and target of a run, or the guard that refuses it (G1). */
export function plan(turn: Turn, playbook: Playbook, environment: Environment): Result<Plan, Refusal> {
  const params: [string, Json][] = [];
  for (const [name, param] of Object.entries(playbook.params)) {
    const value = paramValue(turn, param, environment);
    if (!value.ok) return fail({ guard: 'params', target: '', reason: `parameter ${name}: ${value.error}` });
    params.push([name, value.value]);
  }
  const filled = Object.fromEntries(params);
  const target = fill(playbook.target, { ...environment, params: filled }, turn.law.expressions);
  if (!target.ok) return fail({ guard: 'target', target: '', reason: target.error });
  const seen = JSON.stringify(target.value).slice(0, 80);
  if (typeof target.value !== 'string')
    return fail({ guard: 'target', target: '', reason: `the target must name one thing, seen ${seen}` });
  const complaint = plainComplaint(target.value);
  if (complaint !== null) return fail({ guard: 'target', target: '', reason: `the target ${complaint}, seen ${seen}` });
  return ok({ params: filled, target: target.value });
}

function paramValue(turn: Turn, param: Param, environment: Environment): Result<Json, string> {
  const from = param.from === null ? null : turn.law.expressions.evaluate(param.from, environment);
  const found = from?.ok === true && from.value !== '' && from.value !== null && from.value !== undefined;
  const value = found ? from.value : param.fallback;
  if (value === null || value === '') return fail(from?.ok === false ? from.error : 'has no value');
  const typed = typeof value === (param.type === 'integer' ? 'number' : param.type);
  if (!typed || (param.type === 'integer' && !Number.isSafeInteger(value))) return fail(`expected ${param.type}, seen ${typeof value}`);
  if (typeof value === 'string') {
    const complaint = textComplaint(turn, param, value);
    if (complaint !== null) return fail(complaint);
  }
  // The typeof tests above leave string, number and boolean.
  const scalar = value as string | number | boolean;
  if (param.oneOf !== null && !param.oneOf.includes(scalar))
    return fail(`${JSON.stringify(scalar).slice(0, 80)} is not among the allowed values`);
  return ok(scalar);
}

/** Default for text without a pattern of its own: printable, no leading dash that a program would read as an option. */
function textComplaint(turn: Turn, param: Param, value: string): string | null {
  if (value.length > param.maxLength) return `longer than ${param.maxLength} characters`;
  if (param.pattern !== null) return turn.law.expressions.pattern(param.pattern, value) ? null : `does not match ${param.pattern}`;
  return plainComplaint(value);
}

function plainComplaint(value: string): string | null {
  const text = value.trim();
  if (text === '') return 'is blank';
  if (text === '*') return 'names everything';
  if (text.startsWith('-')) return 'begins with a dash';
  return /[\p{Cc}\u2028\u2029]/u.test(value) ? 'holds control characters' : null;
}

/** The first guard that says no, or null. Order: freeze, confidence, storm, cooldown, attempts, lock, concurrency. */
export function refusalOf(turn: Turn, incident: Incident, playbook: Playbook, target: string): Refusal | null {
  const no = (guard: Guard, reason: string): Refusal => ({ guard, target, reason });
  const { guards } = playbook;
  const { frozen } = turn.law;
  if (playbook.mode === 'shadow') return null;
  if (frozen !== null) return no('freeze', `frozen by ${frozen.by}: ${frozen.reason}; thaw lifts it`);
  if (incident.score.value < guards.confidence) return no('confidence', `score ${incident.score.value} is below ${guards.confidence}`);
  if (incident.storm) return no('storm', 'no automatic action inside an alert storm');
  const history = turn.desk.tables.targets.rows.get(target);
  const since = history?.lastEndAt === undefined || history.lastEndAt === null ? null : turn.at - history.lastEndAt;
  if (since !== null && since < guards.cooldownMs) {
    return no('cooldown', `${target} was acted on ${spanOf(since)} ago, cooldown ${spanOf(guards.cooldownMs)}`);
  }
  const attempts = attemptsOf(turn, playbook, target);
  if (guards.attempts !== null && attempts >= guards.attempts.max) {
    return no('attempts', `${attempts} runs on ${target} within ${spanOf(guards.attempts.perMs)}, at most ${guards.attempts.max}`);
  }
  if (history?.holder !== undefined && history.holder !== null) return no('lock', `run ${history.holder} holds ${target}`); // G2
  const running = runningOf(turn, playbook.name);
  if (running >= guards.concurrency) return no('concurrency', `${running} runs of ${playbook.name} at work, at most ${guards.concurrency}`);
  return null;
}

/** A guard that lifts by itself soon: worth waiting for within the hold-off, instead of paging at once. */
export function isPassing(guard: Guard): boolean {
  return guard === 'lock' || guard === 'concurrency';
}

function attemptsOf(turn: Turn, playbook: Playbook, target: string): number {
  const limit = playbook.guards.attempts;
  if (limit === null) return 0;
  const starts = turn.desk.tables.targets.rows.get(target)?.starts ?? [];
  return starts.filter((start) => start.playbook === playbook.name && turn.at - start.at < limit.perMs).length;
}

function runningOf(turn: Turn, playbook: string): number {
  let running = 0;
  for (const run of turn.desk.tables.runs.rows.values()) {
    if (run.playbook.name === playbook && run.end === null && run.mode !== 'shadow') running += 1;
  }
  return running;
}
