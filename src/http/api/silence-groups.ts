// One silence over several scopes, as an API that knows no scopes makes it: a silence in each of them, which carries the id of all and, when
// there are several, what tells its scope apart. A desk knows only its own.
//   G1  It is made in every scope of the caller in which it could match, or in none: what is refused in one scope is refused as a whole.
//   G2  Where scopes come with alerts, nobody can say which there will be: there the matchers must name them, or the token.
import { isOwnName, ownNameRefused } from '../../core/own-name.ts';
import { hash } from 'node:crypto';
import { matchesOne, newBudget, type Matcher } from '../../core/alert/labels.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Silence } from '../../core/mute/facts.ts';
import type { Millis } from '../../core/time.ts';
import { giveWay } from '../../engine/async/turns.ts';
import { scopeOf } from '../../engine/intake/scope.ts';
import type { ListedSilence, RouteDeps, WantedSilence } from '../../ports/routes.ts';
import type { ViewPage } from '../../ports/views.ts';
import type { SilenceDocument } from '../../readmodel/documents.ts';
import type { ScopeFilter } from '../../readmodel/query.ts';
import type { HttpDeps } from '../deps.ts';
import { boundedIn, listStepsMax, sliceSteps } from './matching.ts';
import { refuseBadSpan, refuseTooMany, refuseTooWide, silenceIn } from './silence-rules.ts';

type Caller = Parameters<RouteDeps['setSilence']>[1];

const scopesMax = 100;
/** How long a command waits until what it did is shown; it is durable before. */
const shownWithinMs: Millis = 2_000;
const lookEveryMs: Millis = 20;

/** The id by which a silence of a scope is known outside. */
export function groupOf(id: string): string {
  return id.split('.', 1)[0] ?? id;
}

export async function listSilences(
  deps: HttpDeps,
  { scopes, matchers, limit }: Parameters<RouteDeps['silences']>[0],
): Promise<readonly ListedSilence[]> {
  const budget = newBudget(listStepsMax);
  const test = boundedIn('query/filter', deps.expressions, budget);
  let began = budget.left;
  const groups = new Map<string, SilenceDocument[]>();
  for await (const document of walk(deps, scopes)) {
    const group = groupOf(document.id);
    const known = groups.get(group);
    if (known !== undefined) known.push(document);
    else if (matchers.every((matcher) => asksFor(document, matcher, test))) {
      if (groups.size >= limit) break;
      groups.set(group, [document]);
    }
    if (began - budget.left < sliceSteps) continue;
    await giveWay();
    began = budget.left;
  }
  return [...groups.values()].map(listed);
}

/** What the silence asks for under the name of the matcher, by the operator of the matcher; nothing reads as the empty text. */
function asksFor({ matchers }: SilenceDocument, matcher: Matcher, test: Parameters<typeof matchesOne>[2]): boolean {
  const values = matchers.filter(({ name, op }) => name === matcher.name && (op === '=' || op === '=~')).map(({ value }) => value);
  const fits = (value: string): boolean => matchesOne(matcher, { labels: { [matcher.name]: value } }, test);
  if (values.length === 0) return fits('');
  return matcher.op === '=' || matcher.op === '=~' ? values.some(fits) : values.every(fits);
}

export async function silenceOf(deps: HttpDeps, id: string, scopes: ScopeFilter): Promise<ListedSilence> {
  return listed(await partsOf(deps, id, scopes));
}

export async function setSilence(deps: HttpDeps, wanted: WantedSilence, caller: Caller): Promise<string> {
  const now = deps.clock.now();
  const startsAt = Math.max(wanted.startsAt, now);
  const { matchers, endsAt, comment } = wanted;
  refuseTooWide(matchers, deps.expressions);
  refuseBadSpan({ startsAt, endsAt }, now);
  if (isOwnName(wanted.by)) throw new GatewayError('invalid_request', `body/createdBy: ${ownNameRefused(wanted.by, 'write who makes it')}`);
  const before = wanted.id === '' ? [] : await partsOf(deps, wanted.id, caller.scopes);
  const said = { matchers, endsAt, untilResolved: false, by: authorOf(wanted.by, caller.actor), comment };
  if (before.some((part) => mayChange(part, wanted, now))) {
    const open = before.filter(({ state }) => state === 'active');
    const changed = open.map((part) => ({
      scope: part.scope,
      silence: { ...said, id: part.id, startsAt: part.startsAt <= now ? part.startsAt : startsAt, untilResolved: part.untilResolved },
    }));
    await submitAll(deps, changed);
    return groupOf(wanted.id);
  }
  const scopes = scopesMeant(deps, caller.scopes, matchers);
  const id = `s${hash('sha256', JSON.stringify([scopes, matchers, wanted.startsAt, endsAt, caller.actor, wanted.id]), 'hex').slice(0, 16)}`;
  const made = scopes.map((scope) => ({ scope, silence: { ...said, startsAt, id: scopes.length === 1 ? id : partId(id, scope) } }));
  await submitAll(deps, made);
  await endAll(deps, before, caller);
  return id;
}

export async function endSilence(deps: HttpDeps, id: string, caller: Caller): Promise<void> {
  const parts = await partsOf(deps, id, caller.scopes);
  if (parts.every(({ state }) => state === 'expired'))
    throw new GatewayError('state_conflict', `silence ${groupOf(id)} is expired already`);
  await endAll(deps, parts, caller);
}

async function endAll(deps: HttpDeps, parts: readonly SilenceDocument[], { actor }: Caller): Promise<void> {
  const endsAt = deps.clock.now();
  const open = parts.filter(({ state }) => state === 'active');
  const ended = open.map((part) => ({ scope: part.scope, silence: { ...silenceIn(part), endsAt, by: actor } }));
  for (const { scope, silence } of ended) await deps.intake.submit({ type: 'SilenceSet', scope, silence });
  await shown(deps, ended, (document) => document.state === 'expired');
}

interface Placed {
  readonly scope: string;
  readonly silence: Silence;
}

/** G1 */
async function submitAll(deps: HttpDeps, placed: readonly Placed[]): Promise<void> {
  for (const { scope, silence } of placed) await refuseTooMany(deps, scope, silence);
  for (const { scope, silence } of placed) await deps.intake.submit({ type: 'SilenceSet', scope, silence });
  await shown(
    deps,
    placed,
    ({ state, endsAt, comment }, silence) => state === 'active' && endsAt === silence.endsAt && comment === silence.comment,
  );
}

/** Who sets a silence asks for it next: waits until the lists have it, or for as long as nobody notices. */
async function shown(
  deps: HttpDeps,
  placed: readonly Placed[],
  is: (document: SilenceDocument, silence: Silence) => boolean,
): Promise<void> {
  const until = deps.clock.steady() + shownWithinMs;
  for (const { scope, silence } of placed) {
    for (;;) {
      const document = await deps.store.views.get('silence', silence.id, [scope]);
      if ((document !== null && is(document, silence)) || deps.clock.steady() >= until) break;
      await new Promise<void>((resolve) => void deps.clock.after(lookEveryMs, resolve));
    }
  }
}

/** Of one that is over, or that would match other alerts or at other times than it did, nothing is changed after the fact. */
function mayChange({ state, startsAt, matchers }: SilenceDocument, wanted: WantedSilence, now: number): boolean {
  if (state === 'expired' || JSON.stringify(ordered(matchers)) !== JSON.stringify(ordered(wanted.matchers))) return false;
  return startsAt > now || startsAt === wanted.startsAt;
}

function ordered(matchers: readonly Matcher[]): readonly (readonly string[])[] {
  return matchers.map(({ name, op, value }) => [name, op, value]).toSorted((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1));
}

/** The name that the caller gives is what people know; the token is what we know. */
function authorOf(said: string, actor: string): string {
  return said === '' || said === actor || said.endsWith(` via ${actor}`) ? said || actor : `${said} via ${actor}`;
}

function partId(group: string, scope: string): string {
  return `${group}.${hash('sha256', scope, 'hex').slice(0, 8)}`;
}

/** G2. Throws `invalid_request` when the scopes cannot be told, or there is none. */
function scopesMeant({ scopings, defaultScope }: HttpDeps, seen: ScopeFilter, matchers: readonly Matcher[]): readonly string[] {
  const scopes = seen === 'all' ? configuredScopes(scopings, matchers) : seen.filter((scope) => couldHold(scope, matchers));
  const found = [...new Set(seen === 'all' && scopings.length === 0 ? [defaultScope] : scopes)].sort();
  if (found.length === 0)
    throw new GatewayError('invalid_request', 'body/matchers: in no scope of your token is there anything that they could match');
  if (found.length > scopesMax) {
    throw new GatewayError(
      'invalid_request',
      `body/matchers: they concern ${found.length} scopes, at most ${scopesMax} may be meant at once`,
    );
  }
  return found;
}

function configuredScopes(scopings: HttpDeps['scopings'], matchers: readonly Matcher[]): readonly string[] {
  const named = Object.fromEntries(matchers.filter(({ op }) => op === '=').map(({ name, value }) => [name, value]));
  return scopings.map(({ endpoint, tenant, labels }) => {
    const missing = labels.find((label) => !Object.hasOwn(named, label));
    if (missing === undefined) return scopeOf(tenant, labels, named);
    throw new GatewayError(
      'invalid_request',
      `body/matchers: endpoint ${endpoint} keeps alerts apart by ${labels.join(', ')}: say which are meant with a matcher like ${missing}="…", ` +
        'or use a token that is bound to scopes',
    );
  });
}

/** False when a label that parts the scope is not what a matcher with = asks for. */
function couldHold(scope: string, matchers: readonly Matcher[]): boolean {
  const labels = new Map(
    scope
      .split(';')
      .slice(1)
      .map((part) => part.split('=', 2) as [string, string]),
  ); // as scopeOf writes them
  return matchers.every(({ name, op, value }) => {
    const here = labels.get(encodeURIComponent(name.toWellFormed()));
    return (
      op !== '=' || here === undefined || here.includes('#') || here === encodeURIComponent(value.toWellFormed()).replaceAll('*', '%2A')
    );
  });
}

/** What lies under the id in the scopes. Throws `not_found`. */
async function partsOf(deps: HttpDeps, id: string, scopes: ScopeFilter): Promise<readonly SilenceDocument[]> {
  const whole = await deps.store.views.get('silence', id, scopes);
  if (whole !== null) return [whole];
  const parts: SilenceDocument[] = [];
  for await (const document of walk(deps, scopes)) if (groupOf(document.id) === id) parts.push(document);
  if (parts.length === 0) throw new GatewayError('not_found', `silence ${id.slice(0, 100)} not found`);
  return parts;
}

/** Newest first, page by page. */
async function* walk({ store }: HttpDeps, scopes: ScopeFilter): AsyncIterable<SilenceDocument> {
  let after: string | null = null;
  do {
    const page: ViewPage<'silence'> = await store.views.list({ kind: 'silence', scopes, limit: 200, ...(after === null ? {} : { after }) });
    yield* page.items;
    after = page.next;
    await giveWay();
  } while (after !== null);
}

function listed(parts: readonly SilenceDocument[]): ListedSilence {
  const [first] = parts.toSorted((a, b) => Number(a.state === 'expired') - Number(b.state === 'expired') || b.endsAt - a.endsAt);
  if (first === undefined) throw new GatewayError('not_found', 'silence not found');
  const { id, state, matchers, startsAt, endsAt, by, comment } = first;
  const updatedAt = Math.max(...parts.map((part) => part.updatedAt ?? part.at));
  return { id: groupOf(id), state, matchers, startsAt, endsAt, updatedAt, by, comment };
}
