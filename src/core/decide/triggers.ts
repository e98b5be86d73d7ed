// Which triggers may hold for an alert: an index over the playbooks of a policy, by what their conditions ask of one value, so that a
// thousand playbooks are not asked one by one. Whether a condition holds is condition.ts. Derived from the policy, kept as long as it is.
//   D3  A trigger that is not found would not hold; those that are found come in the order of the policy.
import type { TurnContext } from '../context.ts';
import type { Incident } from '../incident/row.ts';
import type { Playbook, Trigger } from '../playbook/document.ts';
import type { Asks, Expressions } from '../playbook/expressions.ts';
import type { Environment } from '../playbook/template.ts';
import { membersTried, type Views } from './condition.ts';

export interface Place {
  readonly playbook: Playbook;
  readonly trigger: Trigger;
  /** Its place among the triggers of the playbook, and among those of the policy. */
  readonly index: number;
  readonly order: number;
}

/** Triggers by the value under one path. */
interface PathIndex {
  readonly path: readonly string[];
  readonly byValue: Map<string, Place[]>;
}

interface TriggerIndex {
  readonly byPath: Map<string, PathIndex>;
  /** Of those that ask for nothing with certainty. */
  readonly others: Place[];
}

interface PolicyIndex {
  readonly all: TriggerIndex;
  /** Those whose condition must hold for a while. */
  readonly held: TriggerIndex;
  readonly byName: ReadonlyMap<string, Playbook>;
}

/** A trigger and an alert of the incident for which it may hold. */
export interface Question extends Place {
  readonly fingerprint: string;
}

/** By the list of playbooks, which is never changed; what it says depends on nothing else. */
const known = new WeakMap<Expressions, WeakMap<readonly Playbook[], PolicyIndex>>();

/** The playbook that the policy in force has under a name. */
export function playbookNamed(ctx: TurnContext, name: string): Playbook | undefined {
  return indexOf(ctx).byName.get(name);
}

/**
 * The triggers that may hold, each with the alerts it is asked about: in the order of the policy, then of the alerts. `arrived` limits those
 * about alerts to one; `held` asks only for those with a `for`.
 */
export function questionsFor(
  ctx: TurnContext,
  incident: Incident,
  view: () => Views,
  { arrived, held }: { readonly arrived: string | null; readonly held: boolean },
): readonly Question[] {
  const index = held ? indexOf(ctx).held : indexOf(ctx).all;
  if (index.byPath.size === 0 && index.others.length === 0) return [];
  const views = view();
  const alerts = arrived === null ? incident.listed.slice(0, membersTried) : [arrived];
  const about = (on: Trigger['on'], fingerprint: string): readonly Question[] => {
    const alert = ctx.desk.tables.alerts.rows.get(fingerprint)?.alert;
    if (alert === undefined) return [];
    return placesFor(index, views(alert)).flatMap((place) => (place.trigger.on === on ? [{ ...place, fingerprint }] : []));
  };
  const found = [...alerts.flatMap((fingerprint) => about('alert', fingerprint)), ...about('incident', incident.root)];
  return found.sort((a, b) => a.order - b.order); // stable: alerts keep theirs
}

function placesFor({ byPath, others }: TriggerIndex, environment: Environment): readonly Place[] {
  let found: readonly Place[] = others;
  for (const { path, byValue } of byPath.values()) {
    const value = valueAt(environment, path);
    const places = value === null ? undefined : byValue.get(value);
    if (places !== undefined) found = found.length === 0 ? places : [...found, ...places];
  }
  return found;
}

function valueAt(environment: Environment, path: readonly string[]): string | null {
  let value: unknown = environment;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return null;
    value = Reflect.get(value, part);
  }
  return typeof value === 'string' ? value : null;
}

function indexOf({ policy, expressions }: TurnContext): PolicyIndex {
  const ofThese = known.get(expressions) ?? new WeakMap<readonly Playbook[], PolicyIndex>();
  known.set(expressions, ofThese);
  const { playbooks } = policy;
  const index = ofThese.get(playbooks) ?? indexed(playbooks, expressions);
  ofThese.set(playbooks, index);
  return index;
}

function indexed(playbooks: readonly Playbook[], expressions: Expressions): PolicyIndex {
  const all: TriggerIndex = { byPath: new Map(), others: [] };
  const held: TriggerIndex = { byPath: new Map(), others: [] };
  const byName = new Map<string, Playbook>();
  let order = 0;
  for (const playbook of playbooks) {
    if (!byName.has(playbook.name)) byName.set(playbook.name, playbook);
    if (playbook.mode === 'off') continue;
    for (const [index, trigger] of playbook.triggers.entries()) {
      const place = { playbook, trigger, index, order: (order += 1) };
      const asks = expressions.asks(trigger.when);
      put(all, place, asks);
      if (trigger.forMs !== 0) put(held, place, asks);
    }
  }
  return { all, held, byName };
}

/** By the question that the fewest triggers share: a thousand for one severity differ in something else. */
function put(index: TriggerIndex, place: Place, asks: readonly Asks[]): void {
  const crowd = ({ path, values }: Asks): number => {
    const byValue = index.byPath.get(keyOf(path))?.byValue;
    return Math.max(0, ...values.map((value) => byValue?.get(value)?.length ?? 0));
  };
  const [first, ...rest] = asks;
  if (first === undefined) return void index.others.push(place);
  const { path, values } = rest.reduce((best, one) => (crowd(one) < crowd(best) ? one : best), first);
  const of: PathIndex = index.byPath.get(keyOf(path)) ?? { path, byValue: new Map() };
  index.byPath.set(keyOf(path), of);
  for (const value of new Set(values)) of.byValue.set(value, [...(of.byValue.get(value) ?? []), place]);
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}
