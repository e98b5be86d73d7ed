// The text of a page, for a person who was asleep a minute ago: what is wrong since when, what was tried, what was seen, why them, what now.
// The same text on every channel; vendor shapes are the notifiers' work, title, facts and links are notice.ts.
//   W1  In the words of this moment: of the desk and the rules as they are when it is granted.
//   W2  The order is that of the questions, so that a channel that cuts it cuts the least important; every part of it is bounded.
//   W3  An approval says exactly what would be done, on what, and until when somebody may say so.
import { isFiring, type Alert } from '../alert/row.ts';
import { fixAnnotation, ownSource } from '../alert/own.ts';
import type { TurnContext } from '../context.ts';
import { flapsNow, withFlaps } from '../decide/flaps.ts';
import type { Incident } from '../incident/row.ts';
import type { Playbook } from '../playbook/document.ts';
import { runEnvironment } from '../playbook/environment.ts';
import { fill } from '../playbook/template.ts';
import { partOf, playbookOf, type Run } from '../run/row.ts';
import { callText, lastLines, outputText } from '../run/told.ts';
import { clockOf, second, sinceOf, spanOf, type Instant } from '../time.ts';
import type { NotifyKind } from './notification.ts';
import { ladderNow } from './route.ts';
import type { Page } from './row.ts';

const membersShown = 5;
const runsShown = 3;
const outputsShown = 4;
const outputShown = { lines: 5, chars: 200 } as const;
const summaryCharsMax = 200;
const planCharsMax = 600;
const stepsShown = 8;
const reasonCharsMax = 800;
const fixCharsMax = 1_000;
const textCharsMax = 12_000;
/** Labels and annotations by which senders say whose a thing is, the first that is there. */
const teamWords = ['team', 'owner', 'squad', 'service_owner'] as const;

export interface Saying {
  readonly page: Page;
  readonly kind: NotifyKind;
  readonly at: Instant;
  /** The worst firing member; null while none fires, and of a storm. */
  readonly worst: Alert | null;
}

/** Several lines of plain text. */
export function textOf(ctx: TurnContext, incident: Incident, saying: Saying): string {
  if (saying.kind === 'resolve') return endText(ctx, incident, saying.at);
  if (saying.kind === 'acknowledged') return takenText(incident, saying.page);
  const runs = runsOf(ctx, incident);
  const sections = [
    saying.kind === 'flapping' ? [flappingWords(ctx, incident)] : [],
    wrongNow(ctx, incident, saying),
    runs.filter((run) => partOf(run) === 'approval').flatMap((run) => approvalOf(ctx, run)),
    triedOf(ctx, incident, runs),
    alsoFiring(ctx, incident, saying),
    evidenceOf(ctx, runs),
    whyYou(ctx, incident, saying),
    whatNow(incident, saying),
  ];
  const told = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return clip(told.join('\n\n'), textCharsMax);
}

/** Whose it is, as its sender says, in a label before an annotation; null when that is not said. */
export function teamOf({ labels, annotations }: Alert): string | null {
  for (const said of [labels, annotations]) {
    const word = teamWords.find((each) => Object.hasOwn(said, each) && said[each] !== '');
    if (word !== undefined) return said[word] ?? null;
  }
  return null;
}

/** Since when what is wrong now burns, which rule says so of what, and what it began with when that was something else. */
function wrongNow(ctx: TurnContext, incident: Incident, { worst, at }: Saying): readonly string[] {
  if (worst === null) return [incident.storm ? sinceOf(incident.firstStart, at) : restingText(ctx, incident)];
  const { host, service, cluster, namespace } = worst.entity;
  const about = [
    `rule ${clip(worst.name)}`,
    ...Object.entries({ host, service, namespace, cluster }).flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`])),
    ...(teamOf(worst) === null ? [] : [`team ${teamOf(worst)}`]),
    `from ${worst.source}`,
  ];
  const first = ctx.desk.tables.alerts.rows.get(incident.listed[0] ?? '')?.alert;
  const began =
    first === undefined || first.fingerprint === worst.fingerprint
      ? ''
      : `; began with ${clip(first.summary)} at ${clockOf(first.startedAt)}`;
  return [`${sinceOf(worst.startedAt, at)}${began}`, about.join(', ')];
}

/** It flaps and is well at this moment, which may be over in the next; or nothing burns, and what was left open is to be looked at. */
function restingText(ctx: TurnContext, incident: Incident): string {
  const flaps = flapsNow(ctx, incident);
  return flaps === null ? 'nothing of it fires now' : `${flaps}; clear at this moment`;
}

function flappingWords(ctx: TurnContext, incident: Incident): string {
  return `${flapsNow(ctx, incident) ?? 'it flapped'}. This is told once: there is one page for all of it until it is steady, which says so if it stays down.`;
}

/** The runs of this life, the newest few. */
function runsOf(ctx: TurnContext, incident: Incident | undefined): readonly Run[] {
  if (incident === undefined) return [];
  const rows = incident.runs.map((id) => ctx.desk.tables.runs.rows.get(id));
  return rows.filter((run) => run !== undefined && (run.life === null || run.life === incident.life)).slice(-runsShown) as readonly Run[];
}

/** W3: what a yes would set going. */
function approvalOf(ctx: TurnContext, run: Run): readonly string[] {
  const { name, version, steps } = playbookOf(ctx.desk, run);
  const until = run.approveUntil === undefined ? '' : ` until ${clockOf(run.approveUntil)}`;
  const environment = runEnvironment(ctx.desk, run);
  const plan = steps.slice(0, stepsShown).map(({ id, uses, with: input, when }) => {
    const filled = fill(input, environment, ctx.expressions);
    const text = filled.ok ? callText(uses, filled.value, planCharsMax) : `${uses}, with what an earlier step gives (${filled.error})`;
    return `- ${id}: ${text}${when === null ? '' : ` (if ${clip(when)})`}`;
  });
  return [
    `Playbook ${name} ${version} asks to act on ${run.target}${until}. It would run:`,
    ...plan,
    ...(steps.length > stepsShown ? [`- and ${steps.length - stepsShown} more steps: quench run show ${run.id}`] : []),
    `Yes: quench run approve ${run.id}   No: quench run deny ${run.id}`,
  ];
}

/** What playbooks did about it, how that ended, and the last lines of what their steps gave; or why none did. */
function triedOf(ctx: TurnContext, { outcome }: Incident, runs: readonly Run[]): readonly string[] {
  const lines: string[] = [];
  for (const run of runs) {
    if (partOf(run) === 'approval') continue;
    const { name, version, steps } = playbookOf(ctx.desk, run);
    const verb = run.mode === 'shadow' ? 'Watched only' : 'Tried';
    lines.push(`${verb}: playbook ${name} ${version} on ${run.target} at ${clockOf(run.startedAt)}: ${endOf(run)}`);
    tellOutputs(lines, run, steps);
  }
  for (const each of outcome === null ? [] : [...(outcome.before ?? []), outcome])
    if (each.end === 'refused') lines.push(`Not tried: playbook ${each.playbook}: ${clip(each.reason)}`);
  return lines.length > 0 || runs.length > 0 ? lines : ['Tried: nothing by a playbook'];
}

function endOf({ end, why }: Run): string {
  if (end === null) return 'still at work';
  return why === undefined || why === '' ? end : `${end}: ${why}`;
}

/** What looks saw, of all runs. */
function evidenceOf(ctx: TurnContext, runs: readonly Run[]): readonly string[] {
  const seen: string[] = [];
  for (const run of runs) tellOutputs(seen, run, playbookOf(ctx.desk, run).diagnose);
  return seen.length === 0 ? [] : ['Seen:', ...seen];
}

/** Adds the last lines of what the calls gave, quoted as mail quotes. */
function tellOutputs(lines: string[], run: Run, calls: Playbook['diagnose'] | Playbook['steps']): void {
  const given = calls.flatMap((call) => ('id' in call && Object.hasOwn(run.outputs, call.id) ? [call] : []));
  for (const { id, uses } of given.slice(-outputsShown)) {
    const last = lastLines(outputText(run.outputs[id] ?? {}), outputShown);
    if (last.length > 0) lines.push(`${id} (${uses}):`, ...last.map((line) => `> ${line}`));
  }
}

function alsoFiring(ctx: TurnContext, incident: Incident, { worst, at }: Saying): readonly string[] {
  const alerts = incident.listed.flatMap((fingerprint) => ctx.desk.tables.alerts.rows.get(fingerprint)?.alert ?? []);
  const others = alerts.filter((alert) => isFiring(alert) && alert.fingerprint !== worst?.fingerprint).slice(0, membersShown);
  if (others.length === 0) return [];
  const more = incident.firing - others.length - (worst === null ? 0 : 1);
  return [
    incident.storm ? 'Firing:' : 'Also firing:',
    ...others.map((alert) => `- ${alert.severity}: ${clip(alert.summary)} (${alert.source}, ${sinceOf(alert.startedAt, at)})`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
}

/** Why it rings, how far it has come, who was told, and who is next. */
function whyYou(ctx: TurnContext, incident: Incident, { page, at }: Saying): readonly string[] {
  const ladder = ladderNow(ctx, page);
  const place = `ladder ${ladder.name}, rung ${page.rung + 1} of ${ladder.rungs.length}${page.round === 0 ? '' : `, round ${page.round + 1}`}`;
  const told = page.told.length === 0 ? 'nobody was told before' : `told before: ${page.told.join(', ')}`;
  const opened = `paged ${sinceOf(page.openedAt, at)}`;
  const next = ladder.rungs[page.rung + 1]?.notify ?? [];
  const wait = spanOf(ladder.rungs[page.rung]?.waitMs ?? 0);
  const then = next.length === 0 ? 'it rings on until somebody has it' : `next ${next.join(', ')} after ${wait}, unless somebody has it`;
  return [
    `Why you: ${clip(withFlaps(ctx, incident, reasonNow(ctx, page)), reasonCharsMax)}`,
    `So far: ${opened}; ${place}; ${told}; ${then}`,
  ];
}

/** Why it rang last; what it asked for then and is no longer to be had is not asked for again (W1). */
function reasonNow(ctx: TurnContext, { incident, reason }: Page): string {
  const runs = runsOf(ctx, ctx.desk.tables.incidents.rows.get(incident));
  const gone = runs.find((run) => reason.includes(`run ${run.id}`) && partOf(run) !== 'approval');
  if (gone === undefined) return reason;
  return `playbook ${playbookOf(ctx.desk, gone).name} asked for a yes and waits no longer (${endOf(gone)}); it still burns`;
}

/** What the gateway says of itself it says with how to mend it. */
function whatNow({ id }: Incident, { worst }: Saying): readonly string[] {
  const fix = worst?.source === ownSource ? worst.annotations[fixAnnotation] : undefined;
  return [
    ...(fix === undefined ? [] : clip(fix, fixCharsMax).split('\n')),
    `What now: quench incident ack ${id} (or the link) takes it; quench incident show ${id} tells more`,
  ];
}

function takenText({ taken }: Incident, page: Page): string {
  const by = `${taken?.by ?? page.ackedBy ?? 'somebody'} has it`;
  return taken === undefined ? by : `${by} since ${clockOf(taken.at)} (${taken.via})`;
}

/** Who or what healed it, how, and after how long. */
function endText(ctx: TurnContext, incident: Incident, at: Instant): string {
  const { resolvedBy, ended = { who: '', note: '' } } = incident;
  const lasted = (incident.resolvedAt ?? at) - incident.lifeAt;
  const after = lasted < second ? 'at once' : `after ${spanOf(lasted)}`;
  const runs = runsOf(ctx, incident);
  const healing = runs.filter((run) => resolvedBy === 'playbook' && playbookOf(ctx.desk, run).name === ended.who).slice(-1);
  const others = runs.filter((run) => run.mode !== 'shadow' && !healing.includes(run));
  const note = ended.note === '' ? '' : `: ${ended.note}`;
  const head: { readonly [By in NonNullable<typeof resolvedBy>]: string } = {
    playbook: `healed by playbook ${ended.who} ${after}${note}`,
    source: `cleared by ${ended.who || 'its source'} ${after}${note}${others.some(({ acted }) => acted === true) ? '' : '; no playbook acted'}`,
    human: `resolved by ${ended.who || 'a person'} ${after}${note}`,
    timeout: `taken as ended ${after}${note}`,
  };
  const lines = [resolvedBy === null ? `resolved ${after}` : head[resolvedBy]];
  if (incident.firing > 0) lines.push(incident.firing === 1 ? '1 alert of it still fires' : `${incident.firing} alerts of it still fire`);
  if (incident.taken !== undefined) lines.push(`${incident.taken.by} had it since ${clockOf(incident.taken.at)}`);
  for (const run of [...others, ...healing]) {
    const { name, steps } = playbookOf(ctx.desk, run);
    lines.push(`playbook ${name} on ${run.target} at ${clockOf(run.startedAt)}: ${endOf(run)}`);
    tellOutputs(lines, run, steps);
  }
  return clip(lines.join('\n'), textCharsMax);
}

function clip(text: string, charsMax: number = summaryCharsMax): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}
