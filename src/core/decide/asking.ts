// A playbook that may act as far as its own desk knows asks the desk of the resource, which knows of all scopes, and begins with its grant.
//   A1  No run begins without a grant of its resource, except one that only watches.
//   A2  A grant that nothing begins with is given back in the very turn that hears of it (told.ts).
//   A3  While the resource has not answered, nobody polls: its answer comes as an input. How long it may take is the playbook's hold-off.
import { emit, nextSeq, type TurnContext } from '../context.ts';
import { idOf } from '../ids.ts';
import type { Asked, Incident } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import { throughOf } from '../resource/group.ts';
import { resourceOf } from '../resource/message.ts';
import { longestOf } from '../run/longest.ts';
import { second, type Instant } from '../time.ts';
import type { Candidate } from './choose.ts';
import type { Refusal } from './guards.ts';

/** When a resource is asked again that gave no time for it. */
const askAgainMs = 15 * second;
/** A resource is mostly heard within milliseconds. One whose partition nobody turns keeps a playbook no longer than this beyond its hold-off. */
const answerWithinMs = 30 * second;

/** What the resource says: it is granted, it says no for now or for good, or it may still answer until then. */
export type Word =
  | { readonly is: 'granted'; readonly asked: Asked }
  | { readonly is: 'no'; readonly refusal: Refusal }
  | { readonly is: 'open'; readonly refusal: Refusal; readonly until: Instant };

/** Its word about the playbook; asks it when it was not asked yet, or when what it said may have lifted. */
export function wordOf(ctx: TurnContext, incident: Incident, { playbook, fingerprint }: Candidate, target: string): Word {
  const asked = incident.asked?.find((one) => one.playbook === playbook.name && one.target === target);
  const no = (reason: string): Refusal => ({ guard: 'lock', target, reason, liftsInMs: Infinity });
  const openSince = (at: Instant): Word => ({ is: 'open', refusal: no(`${target} has not answered`), until: at + answerWithinMs });
  if (asked === undefined || mayHaveLifted(asked, ctx.at)) {
    ask(ctx, incident, playbook, { target, alert: fingerprint });
    return openSince(ctx.at);
  }
  const { answer, askedAt } = asked;
  if (answer === null) return openSince(askedAt);
  if (answer.verdict === 'granted') return { is: 'granted', asked };
  if (answer.verdict === 'waits') return { is: 'no', refusal: no(answer.reason) };
  const { guard, reason } = answer;
  return { is: 'no', refusal: { guard, target, reason, liftsInMs: liftsAt(asked) - ctx.at } };
}

/** Who has tried often enough is not asked again in this life; what cools down, or has a full queue, is when its time has come. */
function mayHaveLifted(asked: Asked, at: Instant): boolean {
  return asked.answer?.verdict === 'refused' && asked.answer.guard !== 'attempts' && at >= liftsAt(asked);
}

function liftsAt({ answer, askedAt, answeredAt = askedAt }: Asked): Instant {
  return answeredAt + (answer?.verdict === 'refused' ? (answer.liftsInMs ?? askAgainMs) : 0);
}

function ask(ctx: TurnContext, incident: Incident, playbook: Playbook, about: { target: string; alert: string }): void {
  const { name, guards, mode } = playbook;
  const { cooldownMs, attempts } = guards;
  const { target, alert } = about;
  emit(ctx, {
    type: 'ResourceRequested',
    incident: incident.id,
    resource: resourceOf(ctx.desk.scope, target),
    alert,
    want: {
      run: idOf('r', ctx.desk.scope, nextSeq(ctx)),
      incident: incident.id,
      playbook: name,
      target,
      limits: { cooldownMs, attempts },
      holdMs: longestOf(playbook),
      through: throughOf(ctx.desk.scope, playbook),
      ...(mode === 'shadow' ? { shadow: true } : {}),
    },
  });
}
