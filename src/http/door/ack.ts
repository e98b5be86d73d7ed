// The link in a page by which its reader says "I have it", without an account.
// GET shows how things stand and changes nothing (mail scanners follow links); only POST acts, in the name of whom the link
// is for, or else in the name that its sender gives.
//   A1  Who acknowledges is the person that the link was sent to alone, else the name that was given; never the notifier it was sent through.
//   A2  Nothing is said to be anybody's before the read model shows it: over, taken by another and ringing again are said as they are.
//   A3  A link of a former page takes the incident only after it was said that it rings again: by the page that was shown.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { clockOf, sinceOf } from '../../core/time.ts';
import type { IncidentDocument, PageDocument } from '../../readmodel/documents.ts';
import type { HttpDeps } from '../deps.ts';
import type { Route } from '../route.ts';
import { htmlAnswer, nameKnown, nameRefused, rememberName, sendPage, sentIn, type Form, type Page, type Sent } from './html.ts';
import { readLink, viaLink, type LinkClaim } from './links.ts';
import { lookUntil } from './looking.ts';

/** How the incident of a link stands, as the read model knows it; `unknown` while that does not answer or has not heard of it. */
export type Standing =
  /** `away`: the read model does not answer; `missing`: it has not heard of the incident yet, or has forgotten it. */
  | { readonly is: 'unknown'; readonly why: 'away' | 'missing' }
  | { readonly is: 'over' | 'taken' | 'free'; readonly incident: IncidentDocument; readonly page: PageDocument | null };

export async function standingOf(
  { store: { views } }: Pick<HttpDeps, 'store'>,
  { incident: id, scope }: Pick<LinkClaim, 'incident' | 'scope'>,
): Promise<Standing> {
  try {
    const scopes = [scope];
    const [incident, pages] = await Promise.all([
      views.get('incident', id, scopes),
      views.list({ kind: 'page', scopes, incident: id, limit: 1 }),
    ]);
    if (incident === null) return { is: 'unknown', why: 'missing' };
    const page = pages.items[0] ?? null;
    if (incident.state === 'resolved') return { is: 'over', incident, page };
    return { is: incident.state === 'acknowledged' && page?.state !== 'ringing' ? 'taken' : 'free', incident, page };
  } catch {
    return { is: 'unknown', why: 'away' }; // the link must work while the read model does not
  }
}

/** What of a link that is none, or no longer. */
export const badLink: { readonly [why in 'invalid' | 'expired']: readonly [number, Page] } = {
  invalid: [404, { title: 'This is no link of ours', says: ['It may have been cut off by a mail program.'] }],
  expired: [410, { title: 'This link has expired', says: ['Please use the command line, or the link of a newer page.'] }],
};

/** `Over since 23:50 UTC (4m), resolved by anna.` */
export function overText({ resolvedAt, resolvedBy, resolvedWho }: IncidentDocument, now: number): string {
  const who = resolvedWho === null || resolvedWho === '' ? (resolvedBy ?? 'somebody') : resolvedWho;
  return resolvedAt === null ? 'It is over.' : `Over ${sinceOf(resolvedAt, now)}, resolved by ${who}.`;
}

/** The routes behind an acknowledgement link. */
export function ackRoutes(deps: HttpDeps): readonly Route[] {
  const common = {
    path: '/ack/:token',
    access: 'open',
    scope: 'none',
    tag: 'acknowledgement',
    answers: {
      200: htmlAnswer('A small page that says how it stands.'),
      404: htmlAnswer('Not a link of ours.'),
      410: htmlAnswer('The link has expired.'),
    },
  } as const;
  const acting = {
    202: htmlAnswer('Kept; the read model does not show yet what came of it.'),
    400: htmlAnswer('Nobody said who they are, or in the name of the gateway.'),
    409: htmlAnswer('It is over, somebody else has it, or it rings again.'),
  };
  const serve = (req: IncomingMessage, res: ServerResponse, token: string): Promise<void> => serveAck(deps, req, res, token);
  return [
    {
      ...common,
      kind: 'raw',
      method: 'get',
      summary: 'Ask before acknowledging',
      serve: (req, res, call) => serve(req, res, call.params['token'] ?? ''),
    },
    {
      ...common,
      kind: 'raw',
      method: 'post',
      answers: { ...common.answers, ...acting },
      summary: 'Acknowledge, in the name given',
      serve: (req, res, call) => serve(req, res, call.params['token'] ?? ''),
    },
  ];
}

async function serveAck(deps: HttpDeps, req: IncomingMessage, res: ServerResponse, token: string): Promise<void> {
  const now = deps.clock.now();
  const read = readLink(deps.ackSecrets(), 'ack', { token, now });
  if (!read.ok) return sendPage(res, ...badLink[read.error]);
  const claim = read.value;
  const standing = await standingOf(deps, claim);
  if (req.method !== 'POST') return sendPage(res, 200, asking(standing, claim, { now, name: claim.person ?? nameKnown(req) }));
  const sent = namedBy(claim, await sentIn(req));
  const misnamed = nameRefused(sent.name);
  if (misnamed !== null) {
    const page = asking(standing, claim, { now, name: '' });
    return sendPage(res, 400, { ...page, says: [misnamed, ...page.says] });
  }
  if (claim.person === undefined) rememberName(res, sent.name);
  const refused = refusal(standing, claim, sent, now);
  if (refused !== null) return sendPage(res, 409, refused);
  if (standing.is === 'taken' && standing.incident.acknowledgedBy === sent.name) return sendPage(res, 200, yours(standing, sent.name, now));
  const over = sent.field('over') === 'yes' && standing.is === 'taken' ? { over: true as const } : {};
  const page = pageMeant(standing, claim);
  const via = viaLink(claim);
  const { scope, incident } = claim;
  await deps.intake.submit({ type: 'Acked', scope, incident, ...(page === '' ? {} : { page }), by: sent.name, via, ...over });
  return sendPage(res, ...(await outcome(deps, claim, sent, standing)));
}

/** The page that rings, by id; '' when none does, so that the incident itself is taken. */
function pageMeant(standing: Standing, claim: LinkClaim): string {
  if (standing.is === 'unknown' || standing.page === null) return claim.page;
  return standing.page.state === 'closed' ? '' : standing.page.id;
}

/** Why the word of this person does not count as things stand, with what they can do instead; null when it does. */
function refusal(standing: Standing, claim: LinkClaim, sent: Sent, now: number): Page | null {
  if (standing.is === 'unknown') return null;
  if (standing.is === 'over') return asking(standing, claim, { now, name: sent.name });
  if (standing.is === 'taken') {
    const isOwn = standing.incident.acknowledgedBy === sent.name;
    return isOwn || sent.field('over') === 'yes' ? null : asking(standing, claim, { now, name: sent.name });
  }
  const shown = sent.field('page') ?? claim.page;
  return shown === pageMeant(standing, claim) ? null : asking(standing, claim, { now, name: sent.name }); // A3
}

/** How it stands, and the button that fits. */
function asking(standing: Standing, claim: LinkClaim, { now, name }: { readonly now: number; readonly name: string }): Page {
  const { person } = claim;
  const forms = (says: string, hidden: Form['hidden'] = {}): readonly Form[] => [
    {
      name: person === undefined ? name : null,
      hidden: { page: pageMeant(standing, claim), ...hidden },
      buttons: [{ field: 'do', value: 'ack', says: person === undefined ? says : `${says} as ${person}` }],
    },
  ];
  if (standing.is === 'unknown') {
    const missing = 'Nothing is shown of it here: it is too new, or long over and forgotten.';
    const says = [standing.why === 'missing' ? missing : 'How it stands cannot be shown now; your word is taken in all the same.'];
    return { title: `Acknowledge incident ${claim.incident}?`, says, forms: forms('Acknowledge') };
  }
  const { incident, page } = standing;
  const about = `${incident.title} (${incident.severity}, ${claim.incident})`;
  if (standing.is === 'over') return { title: 'It is over', says: [overText(incident, now), about] };
  if (standing.is === 'taken') {
    const says = [takenText(incident, now), about, 'Take it over only if that is agreed; everybody who was told hears of it.'];
    return { title: `${incident.acknowledgedBy ?? 'Somebody'} has it`, says, forms: forms('Take it over', { over: 'yes' }) };
  }
  const isFormer = page !== null && page.id !== claim.page;
  if (isFormer && page.state === 'ringing') {
    const says = [`The page of this link is over; it rings again ${sinceOf(page.openedAt, now)}.`, about];
    return { title: 'Ringing again: take it?', says, forms: forms('Take it') };
  }
  const again = page?.state === 'ringing' && page.ackedBy !== null ? [`${page.ackedBy} had it; it rings again.`] : [];
  return { title: `Acknowledge incident ${claim.incident}?`, says: [about, ...again], forms: forms('Acknowledge') };
}

export function takenText({ acknowledgedBy, acknowledgedAt }: IncidentDocument, now: number): string {
  return `Taken by ${acknowledgedBy ?? 'somebody'}${acknowledgedAt === null ? '' : ` ${sinceOf(acknowledgedAt, now)}`}.`;
}

/** What was sent, in the name of whom the link is for (A1). */
export function namedBy({ person }: Pick<LinkClaim, 'person'>, sent: Sent): Sent {
  return person === undefined ? sent : { ...sent, name: person };
}

function yours({ incident }: Extract<Standing, { readonly incident: IncidentDocument }>, name: string, now: number): Page {
  return { title: `${name}, you have it`, says: [takenText(incident, now), `${incident.title} (${incident.severity}, ${incident.id})`] };
}

/** A2: looks until the read model shows what came of the word, for a bounded while. */
async function outcome(deps: HttpDeps, claim: LinkClaim, sent: Sent, before: Standing): Promise<readonly [number, Page]> {
  const { clock } = deps;
  const holder = before.is === 'taken' ? before.incident.acknowledgedBy : null;
  const shown = async (): Promise<readonly [number, Page] | null> => {
    const standing = await standingOf(deps, claim);
    const now = clock.now();
    if (standing.is === 'over') return [409, asking(standing, claim, { now, name: sent.name })];
    if (standing.is === 'taken') {
      const by = standing.incident.acknowledgedBy;
      if (by === sent.name) return [200, yours(standing, sent.name, now)];
      if (by !== holder) return [409, asking(standing, claim, { now, name: sent.name })];
    }
    return null;
  };
  const seen = before.is === 'unknown' ? null : await lookUntil(deps, shown);
  if (seen !== null) return seen;
  const says = [
    `The word of ${sent.name} is kept since ${clockOf(clock.now())}; whether it was the first is not shown yet.`,
    'Open the link again in a moment to see who has it.',
  ];
  return [202, { title: 'Your word is taken in', says }];
}
