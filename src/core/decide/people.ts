// What people say about an incident: they take it, answer a run that asks, give it back, resolve it, remark on it, or cancel a run.
//   K7  Who answers a run that asks has its incident, by a yes as by a no, as whoever acknowledges it: what was not known then rings again. After a
//       yes playbooks go on.
import type { Alert } from '../alert/row.ts';
import { emit, type TurnContext } from '../context.ts';
import { resolve } from '../incident/life.ts';
import { incidentOf, type Incident } from '../incident/row.ts';
import { ackPage } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import type { CommandGiven } from '../playbook/facts.ts';
import type { ApprovalAnswer } from '../run/approval.ts';
import { cancel, onApproval } from '../run/program.ts';
import { clockOf } from '../time.ts';
import { takeChildren } from './adopt.ts';
import { watchTaken } from './overdue.ts';
import { briefOf, coveredNow, release, takenAtSource, takenText } from './taken.ts';

/** Who takes an incident, by which way; `over` takes it from whoever has it. */
interface Acknowledging {
  readonly by: string;
  readonly via: string;
  readonly over?: true;
  /** It is taken by a yes to this run. */
  readonly run?: string;
}

export function acknowledge(ctx: TurnContext, id: string, who: Acknowledging): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  const page = pageOf(ctx, incident.page);
  const isTaken = incident.state === 'acknowledged' && !isRinging(ctx, incident);
  if (isTaken && !takesOver(incident, who)) return;
  const { by, via } = who;
  const from = isTaken && incident.taken !== undefined ? { from: incident.taken.by } : {};
  const how = who.run === undefined ? {} : { run: who.run };
  emit(ctx, { type: 'IncidentAcknowledged', incident: id, by, via, covers: coveredNow(ctx, incident, via), ...from, ...how });
  if (page !== undefined) ackPage(ctx, page, { by, via });
  else watchTaken(ctx, id);
  ctx.toDeliberate.add(id);
  if (incident.storm) takeChildren(ctx, id, { by, via });
}

/** A person takes over from another who has it, when it is said so, and always from a source, whose word covers less. */
function takesOver({ taken }: Incident, who: Acknowledging): boolean {
  if (who.via === 'source' || taken?.by === who.by) return false;
  return who.over === true || taken?.via === 'source';
}

/** A person answers a run that asks whether it may act (K7); a word that nobody waits for takes nothing. */
export function answerRun(ctx: TurnContext, run: string, answer: ApprovalAnswer): void {
  const { approved, by, via } = answer;
  onApproval(ctx, run, answer, (incident) => acknowledge(ctx, incident, { by, via, ...(approved ? { run } : {}) }));
}

/**
 * A source says of one alert that somebody has it: the incident is taken when that is said of every alert that pages (decide/taken.ts). What was said
 * `before` takes nothing that people were called for since (K6 in overdue.ts).
 */
export function acknowledgeAtSource(ctx: TurnContext, id: string, said: 'now' | 'before'): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  const isNobodys = incident.state === 'open' ? said === 'now' || incident.lapsed !== true : said === 'now' && isRinging(ctx, incident);
  if (!isNobodys) return;
  const source = takenAtSource(ctx, incident);
  if (source !== null) acknowledge(ctx, id, { by: source, via: 'source' });
}

function isRinging(ctx: TurnContext, { page }: Incident): boolean {
  return pageOf(ctx, page)?.state === 'ringing';
}

/** A source takes back that somebody has one alert; a person's word about the incident stands. */
export function releaseAtSource(ctx: TurnContext, id: string, alert: Alert): void {
  const incident = incidentOf(ctx, id);
  if (incident?.taken?.via !== 'source') return;
  const text = `${takenText(incident)}; ${alert.source} says that nobody has ${briefOf(alert)} any more`;
  release(ctx, id, { by: alert.source, via: 'source' }, { kind: 'unacknowledged', text });
}

export function unacknowledge(
  ctx: TurnContext,
  id: string,
  who: { readonly by: string; readonly via: string; readonly note: string },
): void {
  const incident = incidentOf(ctx, id);
  if (incident?.state !== 'acknowledged') return;
  const { by, via, note } = who;
  const text = `${takenText(incident)}, given back by ${by} at ${clockOf(ctx.at)}${note === '' ? '' : `: ${note}`}`;
  release(ctx, id, { by, via }, { kind: 'unacknowledged', text });
  ctx.toDeliberate.add(id);
}

export function resolveByHand(
  ctx: TurnContext,
  id: string,
  who: { readonly by: string; readonly note: string; readonly force?: true },
): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (incident.run !== null) cancel(ctx, incident.run, `${who.by} resolved the incident`);
  resolve(ctx, id, { by: 'human', who: who.by, note: who.note, ...(who.force === true ? { forced: true } : {}) });
}

export function apply(ctx: TurnContext, input: CommandGiven): void {
  const { command, by } = input;
  if (command.name === 'cancel') return cancel(ctx, command.run, `cancelled by ${by}`);
  if (command.name !== 'note' || incidentOf(ctx, command.incident) === undefined) return;
  emit(ctx, { type: 'IncidentNoted', incident: command.incident, by, text: command.text });
}
