// Follows one incident by its timeline: prints what the gateway did, in its own words, until the awaited thing is there.
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertDoc, Entry, Items } from './gateway.ts';
import { GivenUp } from './given-up.ts';
import type { Kind } from './screen.ts';
import type { Stage } from './stage.ts';

const lookEveryMs = 250;
const linesPerLook = 1_000;

export interface Followed {
  readonly incident: string;
  /** The first entry after the last awaited one that fits; all entries on the way are printed, as far as they are shown. */
  until(what: string, withinMs: number, fits: (entry: Entry) => boolean): Promise<Entry>;
}

export type Shown = (entry: Entry) => { readonly kind: Kind; readonly text: string } | null;

/** Everything but the steps between the steps; a reason is told once, where it comes up. */
export const wholeStory: Shown = (entry) => {
  const { type, text, detail } = entry;
  switch (type) {
    case 'AlertJoined':
      return text.includes('first of the incident') ? null : { kind: 'incident', text };
    case 'IncidentChanged':
      return { kind: 'incident', text: partsOf(text, 1) };
    case 'IncidentDecided':
      return detail['decision'] === 'page' ? null : { kind: 'incident', text: partsOf(text, 3) };
    case 'StepRequested':
      return text.startsWith('steps ') ? { kind: 'run', text } : null;
    case 'StepFinished':
      return {
        kind: 'run',
        text: / ok after /.test(text) && text.startsWith('steps ') ? `${text} (${String(detail['output']).replaceAll('\n', ', ')})` : text,
      };
    case 'RunMoved':
      return null;
    default:
      return { kind: type.startsWith('Run') ? 'run' : /^(Page|Notify)/.test(type) ? 'page' : 'incident', text };
  }
};

/** Of a storm, what happens to it as a whole. */
export const wholeOnly: Shown = (entry) => (/^(Alert|IncidentChanged)/.test(entry.type) ? null : wholeStory(entry));

function partsOf(text: string, count: number): string {
  return text.split(': ').slice(0, count).join(': ');
}

export function follow(stage: Stage, incident: string, shown: Shown): Followed {
  const entries: Entry[] = [];
  let printed = 0;
  let awaited = 0;
  let change = '';

  async function print(entry: Entry): Promise<void> {
    const line = shown(entry);
    if (line === null) return;
    if (entry.type === 'IncidentChanged') {
      if (line.text === change) return; // A score that did not move is no news.
      change = line.text;
    }
    await stage.screen.line(line.kind, line.text, entry.at);
  }

  return {
    incident,
    async until(what, withinMs, fits) {
      const endsAt = performance.now() + withinMs;
      for (;;) {
        for (let entry = entries[printed]; entry !== undefined; entry = entries[printed]) {
          printed += 1;
          await print(entry);
        }
        for (let entry = entries[awaited]; entry !== undefined; entry = entries[awaited]) {
          awaited += 1;
          if (fits(entry)) return entry;
        }
        const after = entries.at(-1)?.seq ?? -1;
        const path = `/api/v1/incidents/${incident}/timeline?after=${after}&limit=${linesPerLook}`;
        const { items } = await stage.gateway.get<Items<Entry>>(path);
        entries.push(...items);
        if (items.length === 0) await lookAgain(stage, what, endsAt, ` in incident ${incident}`);
      }
    },
  };
}

/** The incident of the newest alert that holds the text, once the read model has it. */
export async function incidentOf(stage: Stage, text: string): Promise<string> {
  const endsAt = performance.now() + 20_000;
  for (;;) {
    const { items } = await stage.gateway.get<Items<AlertDoc>>(`/api/v1/alerts?limit=1&text=${encodeURIComponent(text)}`);
    const incident = items[0]?.incident;
    if (typeof incident === 'string') return incident;
    await lookAgain(stage, 'an incident for the alert', endsAt);
  }
}

/** Waits a moment, or gives up when the time is over. */
export async function lookAgain(stage: Stage, what: string, endsAt: number, where = ''): Promise<void> {
  if (performance.now() >= endsAt) throw new GivenUp(`expected ${what}${where}, seen nothing of it in time; the gateway's log may say why`);
  stage.screen.waiting(what);
  await sleep(lookEveryMs, undefined, { signal: stage.signal });
}
