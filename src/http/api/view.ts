// What the nouns share: documents of the read model as answers, lists in pages, and commands that name an incident or a run.
import { GatewayError } from '../../core/errors.ts';
import type { Views } from '../../ports/views.ts';
import { finalStates, type DocumentByKind, type DocumentKind } from '../../readmodel/documents.ts';
import { statesIn, type ScopeFilter, type ViewQuery } from '../../readmodel/query.ts';
import type { Call, Reply, Schema } from '../route.ts';

export interface ListQuery {
  readonly state?: string;
  readonly text?: string;
  readonly limit: number;
  readonly after?: string;
}

export const listQuery = {
  state: { type: 'string', maxLength: 200, description: 'One or more states, with commas between' },
  text: { type: 'string', maxLength: 200, description: 'Text anywhere in the document, upper and lower case alike' },
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  after: { type: 'string', maxLength: 400, description: 'The `next` of the page before' },
} as const satisfies { readonly [name: string]: Schema };

/** What a caller may see. Tokens are not bound to scopes yet: every one sees all there are. */
export const callersScopes: ScopeFilter = 'all';

export async function listed<Kind extends DocumentKind>(
  views: Views,
  kind: Kind,
  query: ListQuery & { readonly parent?: string },
): Promise<Reply> {
  const { state, text, limit, after, parent } = query;
  const asked = {
    kind,
    scopes: callersScopes,
    limit,
    ...(state === undefined ? {} : { states: statesIn(kind, state.split(',')) }),
    ...(text === undefined ? {} : { text }),
    ...(after === undefined ? {} : { after }),
    ...(parent === undefined ? {} : { parent }),
  };
  const { items, next } = await views.list(asked as ViewQuery<Kind>); // `parent` is asked of incidents only, the rest of every kind
  return { status: 200, body: { items, next } };
}

export async function found<Kind extends DocumentKind>(views: Views, kind: Kind, id: string): Promise<DocumentByKind[Kind]> {
  const doc = await views.get(kind, id, callersScopes);
  if (doc === null) throw new GatewayError('not_found', `no ${kind} ${id.slice(0, 100)}`);
  return doc;
}

/** Refuses what can no longer have an effect. The desk decides; this only spares people a silent nothing. */
export function stillOpen<Kind extends DocumentKind>(kind: Kind, doc: DocumentByKind[Kind]): DocumentByKind[Kind] {
  if (doc.state === finalStates[kind]) throw new GatewayError('state_conflict', `${kind} ${doc.id} is ${doc.state}`);
  return doc;
}

/** The command is durable; what comes of it is on the timeline. */
export const taken: Reply = { status: 202, body: { status: 'accepted' } };
export const takenAnswers = { 202: 'Durable; what comes of it shows on the timeline.', 404: 'No such thing.', 409: 'It is over.' } as const;

export function param(call: Pick<Call, 'params'>, name: string): string {
  return call.params[name] ?? '';
}
