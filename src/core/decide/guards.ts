// Whether a playbook may act now: its guards, asked in a fixed order, each refusal with the numbers compared.
// What is asked here is what this scope's desk knows; what other scopes did on the same resource, its own desk is asked (asking.ts).
//   G2  One run holds a target at a time, whatever playbook it runs.
//   G3  Every refusal names the guard, the numbers compared, and what would lift it.
import { saidOf } from '../playbook/freeze.ts';
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import { attemptsReason, coolingReason, coolsIn } from '../resource/limits.ts';
import type { Guard } from '../run/facts.ts';
import type { TargetHistory } from '../run/row.ts';
import { second, type Millis } from '../time.ts';

export interface Refusal {
  readonly guard: Guard;
  readonly target: string;
  readonly reason: string;
  /** When it will have lifted, where that is known. */
  readonly liftsInMs?: Millis;
}

/** What a guard is asked about. */
interface Question {
  readonly incident: Incident;
  readonly playbook: Playbook;
  readonly target: string;
  readonly history: TargetHistory | undefined;
}

interface GuardRule {
  /** Can lift: worth waiting for within the hold-off, instead of paging at once. */
  readonly isPassing: boolean;
  /** Why the playbook may not act now, or null. */
  readonly refuses: (ctx: TurnContext, question: Question) => string | null;
}

const starvedMs: Millis = 15 * second;

/** Says no while parameters and target are worked out, before any guard of the playbook is asked (plan.ts). */
const askedBefore: GuardRule = { isPassing: false, refuses: () => null };

/** Known to the desk of a group alone, which is asked when the resource is granted (resource/group.ts). */
const askedElsewhere: GuardRule = { isPassing: true, refuses: () => null };

/** Every guard; they are asked in this order, and the first that says no is the one people read of. */
const guards: { readonly [guard in Guard]: GuardRule } = {
  params: askedBefore,
  target: askedBefore,
  lists: { isPassing: false, refuses: (_, { playbook }) => playbook.unlisted ?? null },
  freeze: { isPassing: true, refuses: whileFrozen },
  confidence: { isPassing: true, refuses: belowConfidence },
  storm: { isPassing: false, refuses: (_, { incident }) => (incident.storm ? 'no automatic action inside an alert storm' : null) },
  cooldown: { isPassing: true, refuses: whileCooling },
  attempts: { isPassing: false, refuses: afterAttempts },
  blastRadius: askedElsewhere,
  keepHealthy: askedElsewhere,
  lock: { isPassing: true, refuses: whileHeld },
  concurrency: { isPassing: true, refuses: whileCrowded },
  slots: { isPassing: true, refuses: whileStarved },
};

const order = Object.keys(guards) as readonly Guard[]; // the keys of the table above

/** The first guard that says no, or null; of a shadow run it is told and stops nothing. */
export function refusalOf(ctx: TurnContext, incident: Incident, playbook: Playbook, target: string): Refusal | null {
  const question = { incident, playbook, target, history: ctx.desk.tables.targets.rows.get(target) };
  for (const guard of order) {
    const reason = guards[guard].refuses(ctx, question);
    if (reason !== null) return { guard, target, reason, ...(guard === 'cooldown' ? { liftsInMs: liftsIn(ctx, question) } : {}) };
  }
  return null;
}

function liftsIn({ at }: TurnContext, { playbook, history }: Question): Millis {
  return history === undefined ? 0 : coolsIn(history, playbook.guards, at);
}

export function isPassing(guard: Guard): boolean {
  return guards[guard].isPassing;
}

function whileFrozen({ frozen }: TurnContext): string | null {
  return frozen === null ? null : `frozen ${saidOf(frozen)}; thaw lifts it`;
}

function belowConfidence(_: TurnContext, { incident, playbook }: Question): string | null {
  const { confidence } = playbook.guards;
  return incident.score.value < confidence ? `score ${incident.score.value} is below ${confidence}` : null;
}

function whileCooling({ at }: TurnContext, { playbook, target, history }: Question): string | null {
  return history === undefined ? null : coolingReason(history, playbook.guards, target, at);
}

function afterAttempts({ at }: TurnContext, { playbook, target, history }: Question): string | null {
  return history === undefined ? null : attemptsReason(history, playbook.guards, playbook.name, target, at);
}

function whileHeld(_: TurnContext, { target, history }: Question): string | null {
  const holder = history?.holder ?? null;
  return holder === null ? null : `run ${holder} holds ${target}`; // G2
}

/** Of a playbook that asks for a yes; the runs of others are counted by their group, over all scopes (resource/group.ts). */
function whileCrowded(ctx: TurnContext, { playbook }: Question): string | null {
  if (playbook.mode !== 'approve') return null;
  const { concurrency } = playbook.guards;
  const running = ctx.desk.indexes.runsAtWork.get(playbook.name) ?? 0;
  return running < concurrency ? null : `${running} runs of ${playbook.name} at work, at most ${concurrency}`;
}

/** A run of it has just waited in vain for somebody to begin its first call: the next one waits a moment, or it would take turns with itself. */
function whileStarved({ at }: TurnContext, { incident, playbook, target }: Question): string | null {
  const { starved } = incident;
  if (starved === undefined || starved.playbook !== playbook.name || starved.target !== target) return null;
  return at - starved.at >= starvedMs ? null : starved.reason;
}
