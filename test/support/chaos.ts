// A world in which deeds happen to one desk, twice over: to one that lives on in memory and to one that is loaded from its rows,
// in another order, before every input; and a third is folded from the facts alone.
import assert from 'node:assert/strict';
import { createExpressions } from '../../adapters/cel/expressions.ts';
import type { DecisionContext } from '../../src/core/context.ts';
import { newDesk, type Desk, type TableName } from '../../src/core/desk.ts';
import { fold } from '../../src/core/fold.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { isInDoubt } from '../../src/core/incident/row.ts';
import { textsFrom, type OrderedTexts } from '../../src/core/ordered.ts';
import { isMessage, messageOf } from '../../src/core/resource/message.ts';
import type { Fact, Input } from '../../src/core/records.ts';
import { turn } from '../../src/core/turn.ts';
import { changedRows, deskOf, finishLoading, takeRows } from '../../src/engine/host/desks.ts';
import { someday } from './clock.ts';
import type { Deed } from './deeds.ts';
import type { FactOf } from './story.ts';

export interface Heard {
  readonly input: Input;
  readonly facts: readonly Fact[];
  readonly frozen: boolean;
  readonly desk: Desk;
  readonly policy: Policy;
  readonly now: number;
}

export interface Chaos {
  readonly facts: readonly Fact[];
  desk(): Desk;
  now(): number;
  play(deed: Deed): void;
  all<T extends Fact['type']>(type: T): readonly FactOf<T>[];
  /** D1: three ways to the same rows. */
  compare(): void;
}

const expressions = createExpressions();

/** `heard` is called after every input. */
export function unleash(policies: readonly Policy[], heard: (heard: Heard) => void): Chaos {
  const first = policies[0];
  assert.ok(first !== undefined);
  const living = newDesk('default');
  const folded = newDesk('default');
  let loaded = newDesk('default');
  const facts: Fact[] = [];
  const others = new Map<string, Desk>();
  let asked = 0;
  let waits: { due: number; order: number; scope: string; token: string }[] = [];
  let rules: DecisionContext = { policy: first, frozen: null, installation: null, expressions };
  let at = someday;
  let steady = 0;
  let offset = 0;

  /** What the desks of resources say is heard at once. */
  function say(given: object): void {
    // Deeds give whole inputs but for scope and time.
    const inputs = [{ scope: 'default', at, ...given } as Input];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift())
      for (const fact of input.scope === 'default' ? hear(input) : turnElsewhere(input))
        if (isMessage(fact)) inputs.push(messageOf(fact, at));
  }

  function turnElsewhere(input: Input): readonly Fact[] {
    offset += 1;
    const told = turn(deskOf(others, input.scope), structuredClone(input), rules, offset);
    for (const fact of told) arm(fact);
    return told;
  }

  function arm(fact: Fact): void {
    if (fact.type === 'WakeRequested')
      waits.push({ due: steady + fact.afterMs, order: (asked += 1), scope: fact.scope, token: fact.token });
  }

  function hear(input: Input): readonly Fact[] {
    offset += 1;
    const told = turn(living, structuredClone(input), rules, offset);
    assert.deepEqual(turn(loaded, structuredClone(input), rules, offset), told, 'T1: a desk loaded from its rows decides the same');
    loaded = reloaded(loaded);
    for (const fact of told) {
      facts.push(fact);
      fold(folded, structuredClone(fact));
      arm(fact);
    }
    heard({ input, facts: told, frozen: rules.frozen !== null, desk: living, policy: rules.policy, now: at });
    return told;
  }

  function see({ event, ageMs, lagMs, delivery, index }: Extract<Deed, { do: 'see' }>): void {
    const timed = { ...event, startedAt: at - ageMs, observedAt: at - lagMs };
    say({ type: 'AlertSeen', endpoint: 'test', delivery, index, event: timed });
  }

  function pick<T extends Fact['type']>(type: T, nth: number): FactOf<T> | undefined {
    return chaos.all(type).at(-1 - nth);
  }

  function forward(span: number): void {
    const until = steady + span;
    for (;;) {
      let next: (typeof waits)[number] | undefined;
      for (const wait of waits)
        if (next === undefined || wait.due < next.due || (wait.due === next.due && wait.order < next.order)) next = wait;
      if (next === undefined || next.due > until) break;
      const spent = next;
      waits = waits.filter((wait) => wait !== spent);
      at += Math.max(0, spent.due - steady);
      steady = Math.max(steady, spent.due);
      say({ type: 'Woke', scope: spent.scope, token: spent.token });
    }
    at += until - steady;
    steady = until;
  }

  const chaos: Chaos = {
    facts,
    desk: () => living,
    now: () => at,
    all: (type) => facts.filter((fact) => fact.type === type) as never,
    compare() {
      for (const name of Object.keys(living.tables) as TableName[]) {
        const rows = rowsOf(living, name);
        assert.deepEqual(rowsOf(folded, name), rows, `D1: table ${name} is the fold of the facts`);
        assert.deepEqual(rowsOf(loaded, name), rows, `D1: table ${name} is what was saved`);
      }
      assert.deepEqual(indexesOf(loaded), indexesOf(living), 'D1: the indexes are derived from the rows');
      assert.deepEqual(foundIn(living), lookedUpIn(living), 'D3: an index finds what a look at every row finds');
    },
    play(deed) {
      switch (deed.do) {
        case 'see':
          return see(deed);
        case 'claim': {
          const call = pick('StepRequested', deed.nth);
          if (call !== undefined) say({ type: 'StepClaimed', run: call.run, call: call.call, worker: deed.by });
          return;
        }
        case 'answer': {
          const call = pick('StepRequested', deed.nth);
          if (call === undefined) return;
          const { run, call: name } = call;
          return say({ type: 'StepAnswered', run, call: name, worker: deed.by, outcome: deed.outcome, tookMs: 1 });
        }
        case 'work': {
          const call = pick('StepRequested', 0);
          if (call === undefined) return;
          const { run, call: name } = call;
          say({ type: 'StepClaimed', run, call: name, worker: 'w1' });
          return say({ type: 'StepAnswered', run, call: name, worker: 'w1', outcome: deed.outcome, tookMs: 1 });
        }
        case 'notified': {
          const sent = pick('NotifyRequested', deed.nth);
          if (sent === undefined) return;
          const { page, attempt, notification } = sent;
          say({ type: 'NotifyClaimed', page, notification: notification.id, attempt, worker: 'w1' });
          if (!chaos.all('NotifyGranted').some((fact) => fact.outgoing === notification.id)) return; // nothing left, nobody answers
          return say({ type: 'NotifyAnswered', page, notification: notification.id, attempt, outcome: deed.outcome });
        }
        case 'approve':
        case 'deny':
        case 'cancel': {
          const run = pick('RunStarted', deed.nth)?.run ?? 'r0.default';
          if (deed.do === 'cancel') return say({ type: 'CommandGiven', command: { name: 'cancel', run }, by: deed.by });
          return say({ type: deed.do === 'approve' ? 'Approved' : 'Denied', run, by: deed.by, via: 'api', note: '' });
        }
        case 'ack':
        case 'resolve':
        case 'note': {
          const incident = pick('IncidentOpened', deed.nth)?.incident ?? 'i0.default';
          if (deed.do === 'note') return say({ type: 'CommandGiven', command: { name: 'note', incident, text: 'x' }, by: deed.by });
          return say({ type: deed.do === 'ack' ? 'Acked' : 'Resolved', incident, by: deed.by, via: 'api', note: '' });
        }
        case 'wake': {
          const token = pick('WakeRequested', deed.nth * 5)?.token;
          if (token !== undefined) say({ type: 'Woke', token });
          return;
        }
        case 'silence': {
          const startsAt = at + deed.from;
          const matchers = [{ name: 'instance', op: '=~' as const, value: deed.host }];
          const silence = { id: deed.id, matchers, startsAt, endsAt: at + deed.span, untilResolved: deed.used, by: 'ann', comment: '' };
          return say({ type: 'SilenceSet', silence });
        }
        case 'freeze':
        case 'thaw':
          rules = { ...rules, frozen: deed.do === 'thaw' ? null : { by: 'ann', reason: 'audit' } };
          return;
        case 'policy':
          rules = { ...rules, policy: policies[deed.nth % policies.length] ?? first };
          return;
        case 'forward':
          return forward(deed.span);
        case 'back':
          at -= deed.span;
          return;
      }
    },
  };
  return chaos;
}

/** The desk as it comes back from its rows, in the opposite order. */
function reloaded(desk: Desk): Desk {
  for (const table of Object.values(desk.tables)) for (const key of table.rows.keys()) table.changed.add(key);
  const desks = new Map<string, Desk>();
  takeRows(desks, changedRows(desk).toReversed());
  finishLoading(desks);
  return desks.get(desk.scope) ?? newDesk(desk.scope);
}

function rowsOf(desk: Desk, name: TableName): unknown {
  const rows: ReadonlyMap<string, object> = desk.tables[name].rows;
  return sorted(rows);
}

function sorted<Row>(rows: ReadonlyMap<string, Row>): readonly (readonly [string, Row])[] {
  return [...rows].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

/** Members of an incident keep their order; an index without entries is no index. */
function indexesOf(desk: Desk): unknown {
  const { incidentsByKey, alertsByIncident, runsByPlaybook } = desk.indexes;
  return {
    keys: sorted(incidentsByKey).map(([key, counts]) => [key, typeof counts === 'string' ? [[counts, 1]] : sorted(counts)]),
    playbooks: sorted(runsByPlaybook),
    followed: foundIn(desk),
    members: sorted(alertsByIncident).flatMap(([incident, members]) => (members.size === 0 ? [] : [[incident, [...members]]])),
  };
}

function textsOf(texts: OrderedTexts): readonly string[] {
  return [...textsFrom(texts, '')];
}

/** What the indexes that follow their rows find (D3). */
function foundIn({ indexes }: Desk): unknown {
  return {
    open: textsOf(indexes.openAlerts),
    doubts: [...indexes.doubts].sort(),
    atWork: sorted(indexes.runsAtWork),
    children: sorted(indexes.openChildren).map(([storm, children]) => [storm, textsOf(children)]),
    criticals: sorted(indexes.criticals).map(([incident, members]) => [incident, textsOf(members)]),
    spent: [...indexes.spentSilences].sort(),
  };
}

/** The same, found by looking at every row. */
function lookedUpIn(desk: Desk): unknown {
  const { alerts, incidents, runs, silences } = desk.tables;
  const rows = [...incidents.rows.values()];
  const atWork = [...runs.rows.values()].filter(
    ({ end, mode, frames }) => end === null && mode !== 'shadow' && frames.at(-1)?.part !== 'approval',
  );
  const byName = Map.groupBy(atWork, ({ playbook }) => desk.tables.playbooks.rows.get(playbook)?.name ?? '');
  const under = Map.groupBy(
    rows.filter(({ parent, state }) => parent !== null && state !== 'resolved'),
    ({ parent }) => parent ?? '',
  );
  const ids = (of: Iterable<{ readonly id: string }>): readonly string[] => [...of].map(({ id }) => id).sort();
  return {
    open: [...alerts.rows].flatMap(([key, { alert }]) => (alert.state === 'firing' ? [key] : [])).sort(),
    doubts: ids(rows.filter((incident) => incident.firing === 0 && isInDoubt(incident))),
    atWork: sorted(byName).map(([name, of]) => [name, of.length]),
    children: sorted(under).map(([storm, of]) => [storm, ids(of)]),
    criticals: sorted(
      Map.groupBy(
        [...alerts.rows.values()].filter(
          ({ alert }) => alert.state === 'firing' && alert.severity === 'critical' && alert.incident !== null,
        ),
        ({ alert }) => alert.incident ?? '',
      ),
    ).map(([incident, of]) => [incident, of.map(({ alert }) => alert.fingerprint).sort()]),
    spent: ids(
      [...silences.rows.values()].flatMap(({ silence, used, muting }) => (silence.untilResolved && used && muting === 0 ? [silence] : [])),
    ),
  };
}
