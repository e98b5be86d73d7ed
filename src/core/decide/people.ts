// What people say about an incident: they take it, resolve it, remark on it, or cancel a run.
import { emit, type TurnContext } from '../context.ts';
import { resolve } from '../incident/life.ts';
import { incidentOf } from '../incident/row.ts';
import { ackPage } from '../page/ring.ts';
import { pageOf } from '../page/row.ts';
import type { CommandGiven } from '../playbook/facts.ts';
import { cancel } from '../run/program.ts';

export function acknowledge(ctx: TurnContext, id: string, who: { readonly by: string; readonly via: string }): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  const ringing = pageOf(ctx, incident.page);
  if (incident.state === 'acknowledged' && ringing?.state !== 'ringing') return;
  const { by, via } = who;
  emit(ctx, { type: 'IncidentAcknowledged', incident: id, by, via });
  if (ringing !== undefined) ackPage(ctx, ringing, { by, via });
  ctx.toDeliberate.add(id);
}

export function resolveByHand(ctx: TurnContext, id: string, who: { readonly by: string; readonly note: string }): void {
  const incident = incidentOf(ctx, id);
  if (incident === undefined || incident.state === 'resolved') return;
  if (incident.run !== null) cancel(ctx, incident.run, `${who.by} resolved the incident`);
  resolve(ctx, id, { by: 'human', who: who.by, note: who.note });
}

export function apply(ctx: TurnContext, input: CommandGiven): void {
  const { command, by } = input;
  if (command.name === 'cancel') return cancel(ctx, command.run, `cancelled by ${by}`);
  if (command.name !== 'note' || incidentOf(ctx, command.incident) === undefined) return;
  emit(ctx, { type: 'IncidentNoted', incident: command.incident, by, text: command.text });
}
