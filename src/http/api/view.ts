// What the nouns share: documents of the read model as answers, and commands that name an incident or a run.
import { GatewayError } from '../../core/errors.ts';
import { finalStates, type DocumentByKind, type DocumentKind } from '../../readmodel/documents.ts';
import type { AcceptedAnswer } from '../../readmodel/answers.ts';
import type { ViewQuery } from '../../readmodel/query.ts';
import type { Views } from '../../ports/views.ts';
import { answer, refusal, type Call, type Reply, type Route } from '../route.ts';

/** The document that a path names. Throws `not_found` for one that is not there, or not for this caller (A3 in access/scopes.ts). */
export async function found<Kind extends DocumentKind>(
  views: Views,
  kind: Kind,
  { params, scopes }: Pick<Call, 'params' | 'scopes'>,
): Promise<DocumentByKind[Kind]> {
  return documentOf(views, kind, { id: params['id'] ?? '', scopes });
}

export async function documentOf<Kind extends DocumentKind>(
  views: Views,
  kind: Kind,
  { id, scopes }: { readonly id: string; readonly scopes: Call['scopes'] },
): Promise<DocumentByKind[Kind]> {
  const document = await views.get(kind, id, scopes);
  if (document === null) throw new GatewayError('not_found', `no ${kind} ${id.slice(0, 100)}`);
  return document;
}

/** A page of a list. */
export async function page<Kind extends DocumentKind>(views: Views, query: ViewQuery<Kind>): Promise<Reply> {
  return { status: 200, body: await views.list<Kind>(query) };
}

/** Refuses what can no longer have an effect. The desk decides; this only spares people a silent nothing. */
export function stillOpen<Kind extends DocumentKind>(kind: Kind, document: DocumentByKind[Kind]): DocumentByKind[Kind] {
  if (document.state === finalStates[kind]) throw new GatewayError('state_conflict', `${kind} ${document.id} is ${document.state}`);
  return document;
}

/** The command is durable; what comes of it is on the timeline. */
export const taken: Reply<AcceptedAnswer> = { status: 202, body: { status: 'accepted' } };
export const takenAnswers: Route['answers'] = {
  202: answer('Durable; what comes of it shows on the timeline.', 'Accepted'),
  404: refusal('No such thing.'),
  409: refusal('It is over, or somebody was first: the detail says who.'),
};

export function param(call: Pick<Call, 'params'>, name: string): string {
  return call.params[name] ?? '';
}
