// What the nouns share: documents of the read model as answers, lists in pages, and commands that name an incident or a run.
import { GatewayError } from '../../core/errors.ts';
import type { ViewDoc, ViewKind, Views } from '../../ports/views.ts';
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

/** A document as the API shows it: its own members, and the ones that every document has. */
export function shown({ id, scope, at, state, of, doc }: ViewDoc): object {
  return { ...doc, id, scope, at, state, ...(of === null ? {} : { of }) };
}

export async function listed(views: Views, kind: ViewKind, query: ListQuery): Promise<Reply> {
  const { state, text, limit, after } = query;
  const page = await views.list({
    kind,
    limit,
    ...(state === undefined ? {} : { states: state.split(',') }),
    ...(text === undefined ? {} : { text }),
    ...(after === undefined ? {} : { after }),
  });
  return { status: 200, body: { items: page.docs.map(shown), next: page.next } };
}

export async function found(views: Views, kind: ViewKind, id: string): Promise<ViewDoc> {
  const doc = await views.get(kind, id);
  if (doc === null) throw new GatewayError('not_found', `no ${kind} ${id.slice(0, 100)}`);
  return doc;
}

/** Refuses what can no longer have an effect. The desk decides; this only spares people a silent nothing. */
export function stillOpen(doc: ViewDoc, finals: readonly string[]): ViewDoc {
  if (finals.includes(doc.state)) throw new GatewayError('state_conflict', `${doc.kind} ${doc.id} is ${doc.state}`);
  return doc;
}

/** The command is durable; what comes of it is on the timeline. */
export const taken: Reply = { status: 202, body: { status: 'accepted' } };
export const takenAnswers = { 202: 'Durable; what comes of it shows on the timeline.', 404: 'No such thing.', 409: 'It is over.' } as const;

export function param(call: Pick<Call, 'params'>, name: string): string {
  return call.params[name] ?? '';
}
