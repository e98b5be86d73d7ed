// The link in a page that asks for a yes: shows the exact commands, the target and until when, and takes a yes or a no.
// GET shows and changes nothing; only POST acts. Whose yes counts is voter.ts.
//   Y1  Nothing is said to be allowed or refused before the read model shows it; who comes too late learns who was first.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createCallers, type Caller } from '../../access/tokens.ts';
import { sinceOf, clockOf, spanOf } from '../../core/time.ts';
import type { RunDocument } from '../../readmodel/documents.ts';
import { decided } from '../api/runs.ts';
import type { HttpDeps } from '../deps.ts';
import type { Route } from '../route.ts';
import { badLink, namedBy } from './ack.ts';
import { htmlAnswer, nameKnown, rememberName, sendPage, sentIn, type Form, type Page } from './html.ts';
import { readLink, type LinkClaim } from './links.ts';
import type { Logins } from './logins.ts';
import { lookUntil, storyOf } from './looking.ts';
import { mayAllow, voterOf } from './voter.ts';

const plan = /^would call /;

type AnswerDeps = HttpDeps & { readonly logins: Logins };
type Serving = AnswerDeps & { readonly callerOf: (token: string) => Caller | null };

/** The routes behind a link that asks for a yes. */
export function answerRoutes(deps: AnswerDeps): readonly Route[] {
  const serving: Serving = { ...deps, callerOf: createCallers(deps.tokens) };
  const common = {
    path: '/answer/:token',
    access: 'open',
    scope: 'none',
    tag: 'acknowledgement',
    answers: {
      200: htmlAnswer('A small page that says what would be done, or what was decided.'),
      404: htmlAnswer('Not a link of ours.'),
      410: htmlAnswer('The link has expired.'),
    },
  } as const;
  const acting = {
    202: htmlAnswer('Kept; the read model does not show yet what came of it.'),
    400: htmlAnswer('Nobody said who they are, or neither yes nor no.'),
    403: htmlAnswer('A yes whose token is nobody’s, or may not let this run act.'),
    409: htmlAnswer('The run no longer waits.'),
  };
  const serve: (
    req: IncomingMessage,
    res: ServerResponse,
    call: { readonly params: { readonly [name: string]: string } },
  ) => Promise<void> = (req, res, { params }) => serveAnswer(serving, req, res, params['token'] ?? '');
  return [
    { ...common, kind: 'raw', method: 'get', summary: 'Show what a run that waits would do', serve },
    {
      ...common,
      answers: { ...common.answers, ...acting },
      kind: 'raw',
      method: 'post',
      summary: 'Say yes or no to a run that waits, in the name given',
      serve,
    },
  ];
}

async function serveAnswer(deps: Serving, req: IncomingMessage, res: ServerResponse, token: string): Promise<void> {
  const now = deps.clock.now();
  const read = readLink(deps.ackSecrets(), 'answer', { token, now });
  if (!read.ok) return sendPage(res, ...badLink[read.error]);
  const claim = read.value;
  const run = await runOf(deps, claim);
  if (req.method !== 'POST') return sendPage(res, 200, await asking(deps, claim, run, nameKnown(req)));
  const sent = namedBy(claim, await sentIn(req));
  const word = sent.field('answer');
  const refuse = async (status: number, why: string): Promise<void> => {
    const page = await asking(deps, claim, run, sent.name);
    sendPage(res, status, { ...page, says: [why, ...page.says] });
  };
  if (word !== 'yes' && word !== 'no') return refuse(400, 'Please say yes or no.');
  const late = run === null ? null : decided(run);
  if (late !== null) return sendPage(res, 409, { title: 'It no longer waits', says: [late] });
  const voter = voterOf(deps, claim, sent, word);
  if (!voter.ok) {
    if (voter.error.isGuess) await deps.logins.failed('links', req, res);
    return refuse(voter.error.status, voter.error.says);
  }
  const { by, via, isGiven } = voter.value;
  if (isGiven) rememberName(res, by);
  const said = { scope: claim.scope, run: claim.run ?? '', by, via };
  await deps.intake.submit(word === 'yes' ? { type: 'Approved', ...said } : { type: 'Denied', ...said, note: sent.note });
  return sendPage(res, ...(await outcome(deps, claim, run, by)));
}

async function runOf({ store: { views } }: HttpDeps, { run, scope }: LinkClaim): Promise<RunDocument | null> {
  return views.get('run', run ?? '', [scope]).catch(() => null); // the link must work while the read model does not
}

async function asking(deps: HttpDeps, claim: LinkClaim, run: RunDocument | null, name: string): Promise<Page> {
  const forms = formsOf(deps, claim, name);
  if (run === null) return { title: `Let run ${claim.run ?? ''} act?`, says: ['What it would do is not shown now.'], forms };
  const late = decided(run);
  if (late !== null) return { title: 'It no longer waits', says: [late] };
  const left = run.approvalUntil === null ? 0 : run.approvalUntil - deps.clock.now();
  const until = run.approvalUntil === null ? '' : ` It waits until ${clockOf(run.approvalUntil)} (${spanOf(Math.max(0, left))}).`;
  return {
    title: `Let playbook ${run.playbook} act on ${run.target}?`,
    says: [
      `Asked ${sinceOf(run.startedAt, deps.clock.now())} for incident ${run.incident}.${until}`,
      ...(mayAllow(deps, claim)
        ? []
        : [`Whoever can read this link may say no. A yes needs a token of role operate, here or with quench run approve ${run.id}.`]),
    ],
    forms,
    lines: [{ head: 'It would run', lines: await planOf(deps, claim, run) }],
  };
}

/** One form where the link says who may answer, else a form for each word: a yes asks for a token, a no for a name. */
function formsOf(deps: HttpDeps, claim: LinkClaim, given: string): readonly Form[] {
  const { person } = claim;
  const as = person === undefined ? '' : ` as ${person}`;
  const name = person === undefined ? given : null;
  const yes = { field: 'answer', value: 'yes', says: `Yes, run it${as}` };
  const no = { field: 'answer', value: 'no', says: `No${as}` };
  if (mayAllow(deps, claim)) return [{ name, hidden: {}, buttons: [yes, no], asksNote: true }];
  return [
    { name: null, hidden: {}, buttons: [{ ...yes, says: 'Yes, run it' }], asksToken: true },
    { name, hidden: {}, buttons: [no], asksNote: true },
  ];
}

/** The commands as they were told when it began to wait. */
async function planOf(deps: HttpDeps, { scope }: LinkClaim, run: RunDocument): Promise<readonly string[]> {
  const lines: string[] = [];
  try {
    for await (const some of storyOf(deps, { incident: run.incident, scope })) {
      for (const { detail, text } of some) if (detail['run'] === run.id && plan.test(text)) lines.push(text.replace(plan, ''));
    }
  } catch {
    // What was read until then is shown: the link must work while the read model does not.
  }
  return lines.length === 0 ? [`quench run show ${run.id}`] : lines;
}

/** Y1: looks until the read model shows what came of the word, for a bounded while. */
async function outcome(deps: HttpDeps, claim: LinkClaim, before: RunDocument | null, by: string): Promise<readonly [number, Page]> {
  const shown = async (): Promise<readonly [number, Page] | null> => {
    const run = await runOf(deps, claim);
    const now = run === null ? null : decided(run);
    if (run === null || now === null) return null;
    const isOurs = run.approvedBy === by || run.end === 'denied';
    return [isOurs ? 200 : 409, { title: isOurs ? 'Decided' : 'It no longer waits', says: [now] }];
  };
  const kept: Page = { title: 'Your word is taken in', says: ['Open the link again in a moment to see what came of it.'] };
  return (before === null ? null : await lookUntil(deps, shown)) ?? [202, kept];
}
