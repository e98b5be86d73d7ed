// The link in a page that shows its incident, without an account and without changing anything: how it stands, what was seen and done, its story.
//   I1  It shows one incident, to whoever was sent the link, until the link expires; it acts on nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { clockOf, sinceOf, spanOf } from '../../core/time.ts';
import type { RunDocument } from '../../readmodel/documents.ts';
import type { TimelineEntry } from '../../readmodel/timeline.ts';
import type { HttpDeps } from '../deps.ts';
import type { Route } from '../route.ts';
import { badLink, overText, standingOf, takenText, type Standing } from './ack.ts';
import { htmlAnswer, sendPage, type Page } from './html.ts';
import { readLink, type LinkClaim } from './links.ts';
import { storyOf } from './looking.ts';

const partsMax = 20;
const entriesShown = 200;

/** The route behind an incident's link. */
export function incidentPageRoutes(deps: HttpDeps): readonly Route[] {
  return [
    {
      path: '/incident/:token',
      line: 'pages',
      access: 'open',
      scope: 'none',
      tag: 'acknowledgement',
      answers: {
        200: htmlAnswer('A small page that shows the incident.'),
        404: htmlAnswer('Not a link of ours.'),
        410: htmlAnswer('The link has expired.'),
      },
      kind: 'raw',
      method: 'get',
      summary: 'Show the incident of a page',
      serve: (req, res, call) => serve(deps, req, res, call.params['token'] ?? ''),
    },
  ];
}

async function serve(deps: HttpDeps, _req: IncomingMessage, res: ServerResponse, token: string): Promise<void> {
  const now = deps.clock.now();
  const read = readLink(deps.ackSecrets(), 'incident', { token, now });
  if (!read.ok) return sendPage(res, ...badLink[read.error]);
  const standing = await standingOf(deps, read.value);
  const page = standing.is === 'unknown' ? null : await shown(deps, read.value, standing).catch(() => null);
  const missing = {
    title: `Incident ${read.value.incident}`,
    says: ['It is not shown here now. Try again in a moment, or use quench incident show.'],
  };
  return sendPage(res, 200, page ?? missing);
}

async function shown(deps: HttpDeps, claim: LinkClaim, standing: Exclude<Standing, { is: 'unknown' }>): Promise<Page> {
  const { views } = deps.store;
  const { incident } = standing;
  const now = deps.clock.now();
  const of = { scopes: [claim.scope], incident: incident.id, limit: partsMax };
  const [alerts, runs, story] = await Promise.all([
    views.list({ kind: 'alert', ...of }),
    views.list({ kind: 'run', ...of }),
    newestOf(deps, claim),
  ]);
  const lines = [
    {
      head: 'Alerts',
      lines: alerts.items.map(
        (each) => `${each.state} ${each.severity}: ${each.summary} (${each.name}, ${each.source}, ${sinceOf(each.startedAt, now)})`,
      ),
    },
    ...runs.items.map((run) => ({ head: `Playbook ${run.playbook} on ${run.target}`, lines: runLines(run) })),
    { head: 'Story', lines: story },
  ];
  return {
    title: `[${incident.severity}] ${incident.title}`,
    says: [
      holderText(standing, now),
      `Opened ${sinceOf(incident.openedAt, now)}; ${incident.members === 1 ? '1 alert' : `${incident.members} alerts`} from ${incident.sources.join(', ')}.`,
      `${incident.decision ?? 'undecided'}: ${incident.reason ?? ''}`,
      `quench incident show ${incident.id}`,
    ],
    lines: lines.filter((list) => list.lines.length > 0),
  };
}

function holderText({ is, incident }: Exclude<Standing, { is: 'unknown' }>, now: number): string {
  if (is === 'over') return overText(incident, now);
  if (is === 'free') return 'Nobody has it.';
  return takenText(incident, now);
}

function runLines(run: RunDocument): readonly string[] {
  const lines = [`${run.end ?? run.state}${run.reason === null ? '' : `: ${run.reason}`}`];
  for (const [call, { outcome, tookMs, detail, output }] of Object.entries(run.steps)) {
    lines.push(`${call}: ${outcome}${detail === undefined ? '' : ` (${detail})`} after ${spanOf(tookMs)}`);
    if (output !== undefined) lines.push(...output.split('\n').map((line) => `  | ${line}`));
  }
  return lines;
}

/** The newest lines; of a story that is longer than anybody reads, those of its first five thousand. */
async function newestOf(deps: HttpDeps, claim: LinkClaim): Promise<readonly string[]> {
  let last: readonly TimelineEntry[] = [];
  for await (const some of storyOf(deps, claim)) last = [...last, ...some].slice(-entriesShown);
  return last.map(({ at, text }) => `${clockOf(at)}  ${text}`);
}
