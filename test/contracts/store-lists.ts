// The part of the store contract about lists: what a question finds, in which order, and that pages put together are the list.
// The model looks at every document with nothing of src/readmodel/query.ts, so that a filter read wrongly there is seen here.
import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import type { Store } from '../../src/ports/store.ts';
import type { AlertDocument, DocumentByKind, DocumentKind, IncidentDocument } from '../../src/readmodel/documents.ts';
import { blank } from '../../src/readmodel/blank.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
import type { ViewQuery } from '../../src/readmodel/query.ts';
import type { Promised } from './store-fixture.ts';

const pagesMax = 200;

/** All items of a list, page by page. */
export async function listed<Kind extends DocumentKind>(store: Store, query: ViewQuery<Kind>): Promise<DocumentByKind[Kind][]> {
  const items: DocumentByKind[Kind][] = [];
  let after = query.after;
  for (let page = 0; page < pagesMax; page++) {
    const found = await store.views.list<Kind>({ ...query, ...(after === undefined ? {} : { after }) });
    assert.ok(found.items.length <= query.limit, 'no page is longer than its limit');
    items.push(...found.items);
    if (found.next === null) return items;
    assert.notEqual(found.next, after, 'a page goes on');
    after = found.next;
  }
  return assert.fail(`no end after ${pagesMax} pages`);
}

async function idsOf<Kind extends DocumentKind>(store: Store, query: ViewQuery<Kind>): Promise<string[]> {
  return (await listed(store, query)).map(({ id }) => id);
}

let offset = 0;
async function apply(store: Store, patches: readonly DocumentPatch[]): Promise<void> {
  offset += 1;
  await store.views.apply({ cursor: 'lists', partition: 0, offset, patches, entries: [] });
}

function alert(id: string, at: number, set: Partial<AlertDocument> = {}): DocumentPatch {
  return { kind: 'alert', id, scope: set.scope ?? 's', at, begins: true, set };
}

function incident(id: string, at: number, set: Partial<Omit<IncidentDocument, 'children'>> = {}): DocumentPatch {
  return { kind: 'incident', id, scope: set.scope ?? 's', at, begins: true, set };
}

export function listsContract(promise: Promised): void {
  promise('a list is newest first, and pages neither double nor skip what has one time', async ({ store }) => {
    for (let n = 0; n < 23; n += 1) {
      const state = n % 3 === 1 ? 'cleared' : 'firing';
      await apply(store, [alert(`n${n}`, 100 + Math.floor(n / 6), { state, incident: n % 2 === 0 ? 'even' : null })]);
    }
    await apply(store, [{ kind: 'run', id: 'other', scope: 's', at: 105, begins: true, set: { incident: 'even' } }]);
    const all = Array.from({ length: 23 }, (_, index) => `n${22 - index}`);
    const numbered = (keep: (n: number) => boolean): string[] => all.filter((id) => keep(Number(id.slice(1))));

    for (const limit of [1, 2, 3, 5, 22, 23, 24]) {
      const asked = { kind: 'alert', scopes: 'all', limit } as const;
      assert.deepEqual(await idsOf(store, asked), all);
      assert.deepEqual(
        await idsOf(store, { ...asked, states: ['firing', 'firing'] }),
        numbered((n) => n % 3 !== 1),
      );
      assert.deepEqual(
        await idsOf(store, { ...asked, incident: 'even' }),
        numbered((n) => n % 2 === 0),
      );
      const both = numbered((n) => n % 2 === 0 && n % 3 !== 1);
      assert.deepEqual(await idsOf(store, { ...asked, incident: 'even', states: ['firing'] }), both);
      assert.deepEqual(
        await idsOf(store, { ...asked, since: 101, until: 103 }),
        numbered((n) => n >= 6 && n < 18),
      );
      assert.deepEqual(await idsOf(store, { ...asked, states: [] }), []);
    }
  });

  promise('incidents: the worst first; what a storm speaks for stands under it until it is resolved', async ({ store }) => {
    await apply(store, [
      incident('resolved', 9, { state: 'resolved', severity: 'critical' }),
      incident('acked', 8, { state: 'acknowledged', severity: 'critical' }),
      incident('child', 7, { severity: 'critical', parent: 'storm' }),
      incident('orphan', 6, { severity: 'error', parent: 'gone' }),
      incident('storm', 5, { severity: 'error', storm: true }),
      incident('old', 1, { severity: 'critical' }),
      incident('new', 4, { severity: 'info' }),
    ]);
    const asked = { kind: 'incident', scopes: 'all', limit: 2 } as const;
    const worst = ['old', 'orphan', 'storm', 'new', 'acked', 'resolved'];

    assert.deepEqual(await idsOf(store, asked), worst);
    assert.deepEqual(await idsOf(store, { ...asked, sort: 'newest' }), ['resolved', 'acked', 'orphan', 'storm', 'new', 'old']);
    assert.deepEqual(await idsOf(store, { ...asked, children: 'show' }), ['child', ...worst]);
    assert.deepEqual(await idsOf(store, { ...asked, parent: 'storm' }), ['child']);
    assert.deepEqual(await idsOf(store, { ...asked, storm: true }), ['storm']);

    await apply(store, [{ kind: 'incident', id: 'storm', scope: 's', at: 10, set: { state: 'resolved' } }]);
    assert.deepEqual(await idsOf(store, { ...asked, states: ['open'] }), ['child', 'old', 'orphan', 'new']);
    await apply(store, [{ kind: 'incident', id: 'storm', scope: 's', at: 11, set: { state: 'open' } }]);
    assert.deepEqual(await idsOf(store, asked), worst);
  });

  promise('a child of a storm that is not what is asked for is found, and stays under it otherwise', async ({ store }) => {
    await apply(store, [
      incident('storm', 5, { severity: 'error', storm: true, sources: ['prometheus'], title: 'storm' }),
      incident('child', 3, { severity: 'critical', parent: 'storm', sources: ['prometheus'], title: 'node 3 is gone' }),
      incident('like', 4, { severity: 'error', parent: 'storm', sources: ['prometheus'] }),
      incident('far', 4, { severity: 'critical', parent: 'storm', scope: 'other' }),
      alert('a', 1, { name: 'Down', entity: { host: 'node3' }, incident: 'child' }),
      alert('b', 1, { name: 'Down', entity: { host: 'node4' }, incident: 'storm' }),
      alert('c', 1, { name: 'Down', entity: { host: 'node4' }, incident: 'like' }),
    ]);
    const asked = { kind: 'incident', scopes: ['s'], limit: 1 } as const;

    assert.deepEqual(await idsOf(store, asked), ['storm']);
    assert.deepEqual(await idsOf(store, { ...asked, hosts: ['node3'] }), ['child']);
    assert.deepEqual(await idsOf(store, { ...asked, hosts: ['node4'] }), ['storm']);
    assert.deepEqual(await idsOf(store, { ...asked, severities: ['critical'] }), ['child']);
    assert.deepEqual(await idsOf(store, { ...asked, severities: ['critical', 'error'] }), ['storm']);
    assert.deepEqual(await idsOf(store, { ...asked, text: 'NODE 3' }), ['child']);
    assert.deepEqual(await idsOf(store, { ...asked, until: 5 }), ['child', 'like']);
    assert.deepEqual(await idsOf(store, { ...asked, until: 5, sort: 'newest' }), ['like', 'child']);
    assert.deepEqual(await idsOf(store, { ...asked, sources: ['prometheus'] }), ['storm']);
    assert.deepEqual(await idsOf(store, { ...asked, hosts: ['node3'], children: 'hide' }), ['child']);
    assert.deepEqual(await idsOf(store, { ...asked, parent: 'storm', children: 'hide' }), []);
    await apply(store, [{ kind: 'incident', id: 'storm', scope: 's', at: 6, set: { state: 'acknowledged' } }]);
    assert.deepEqual(await idsOf(store, { ...asked, states: ['open'] }), []);
  });

  promise('an incident is found by every alert that was ever its member, whatever came first', async ({ store }) => {
    const db = { name: 'DiskFull', entity: { host: 'db1', service: 'shop' } };
    await apply(store, [alert('a', 1, { ...db, incident: 'i' }), incident('i', 1), incident('j', 2)]);
    await apply(store, [alert('b', 3, { name: 'Down', entity: { host: 'web1' }, incident: 'i' })]);
    await apply(store, [{ kind: 'alert', id: 'a', scope: 's', at: 4, set: { incident: 'j' } }]);
    const asked = { kind: 'incident', scopes: 'all', sort: 'newest', limit: 9 } as const;

    assert.deepEqual(await idsOf(store, { ...asked, hosts: ['db1'] }), ['j', 'i']);
    assert.deepEqual(await idsOf(store, { ...asked, hosts: ['web1'], services: ['shop'], names: ['Down'] }), ['i']);
    assert.deepEqual(await idsOf(store, { ...asked, names: ['Down', 'DiskFull'] }), ['j', 'i']);
    assert.deepEqual(await idsOf(store, { ...asked, hosts: ['DB1'] }), []);
  });

  promise('text is found anywhere, in any case, and taken literally', async ({ store }) => {
    const texts = ['Disk FULL on db1', '100%', '100 of 100', 'a_b', 'aXb', 'say "hi"', 'path\\to', "it's", 'Größe', 'line\nbreak'];
    await apply(
      store,
      texts.map((text) => alert(text, 1, { annotations: { text } })),
    );
    const find = (text: string): Promise<string[]> => idsOf(store, { kind: 'alert', scopes: 'all', text, limit: 2 });

    assert.deepEqual(await find('full ON'), ['Disk FULL on db1']);
    assert.deepEqual(await find('100%'), ['100%']);
    assert.deepEqual(await find('A_B'), ['a_b']);
    assert.deepEqual(await find('"HI"'), ['say "hi"']);
    assert.deepEqual(await find('\\t'), ['path\\to']);
    assert.deepEqual(await find("it's"), ["it's"]);
    assert.deepEqual(await find('röße'), ['Größe']);
    assert.deepEqual(await find('GRÖSSE'), []);
    assert.deepEqual(await find('GRÖ'), ['Größe']);
    assert.deepEqual(await find('line\nb'), ['line\nbreak']);
    assert.deepEqual(await find('nowhere'), []);
    assert.equal((await find('')).length, texts.length);
  });

  promise('text is sought in what is said: no member is found by its name, no number by its digits', async ({ store }) => {
    await apply(store, [
      {
        kind: 'run',
        id: 'r',
        scope: 's',
        at: 4_711,
        begins: true,
        set: { incident: 'i', playbook: 'p', target: 't', params: { port: 8_080 } },
      },
      incident('i', 4_711, {
        title: 'ΟΔΟΣ 12',
        score: { value: 0.5, terms: [{ name: 'rule', weight: 1, value: 1, why: 'NodeDown: no history' }] },
      }),
      alert('a', 4_711, { labels: { team: 'db', note: 'the root cause' }, entity: { host: 'h1' } }),
    ]);
    const find = async (text: string): Promise<string[]> => {
      const asked = { scopes: 'all', text, limit: 9 } as const;
      const [runs, incidents, alerts] = [
        idsOf(store, { ...asked, kind: 'run' }),
        idsOf(store, { ...asked, kind: 'incident' }),
        idsOf(store, { ...asked, kind: 'alert' }),
      ];
      return [...(await runs), ...(await incidents), ...(await alerts)];
    };

    for (const text of ['entity', 'host', 'reason', 'title', 'null', '4711', 'rule', 'openedAt', '":'])
      assert.deepEqual(await find(text), [], text);
    assert.deepEqual(await find('ROOT'), ['a']);
    assert.deepEqual(await find('team'), ['a']);
    assert.deepEqual(await find('port'), ['r']);
    assert.deepEqual(await find('8080'), ['r']);
    assert.deepEqual(await find('οδοσ'), ['i']);
    assert.deepEqual(await find('nodedown'), ['i']);
  });

  promise('a word that is none, and a place of another list, are refused with what was expected', async ({ store }) => {
    const asked = { kind: 'incident', scopes: 'all', limit: 1 } as const;
    const refused = (query: object, message: RegExp): Promise<void> =>
      assert.rejects(store.views.list({ ...asked, ...query } as ViewQuery<'incident'>), { code: 'invalid_request', message });

    await refused({ states: ['opn'] }, /^state: expected open, acknowledged or resolved, seen opn$/);
    await refused({ severities: ['bad'] }, /^severity: expected info, warning, error or critical, seen bad$/);
    await refused({ sort: 'best' }, /^sort: expected worst or newest, seen best$/);
    await refused({ after: 'x_y' }, /^after: expected the `next` of a list sorted by worst, seen x_y$/);
    await apply(store, [incident('a', 1), incident('b', 2)]);
    const { next } = await store.views.list({ ...asked, sort: 'newest' });
    await refused({ after: next }, /sorted by worst/);
  });

  promise(
    'whatever is asked of whatever there is, in pages of any size: a look at every document finds the same',
    async ({ reopen, store }) => {
      let held = store;
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { maxLength: 40 }),
          fc.array(question, { minLength: 1, maxLength: 6 }),
          async (changes, questions) => {
            scopeOfRun += 1;
            const model = createModel(`${scopeOfRun}-`);
            for (const one of changes) await apply(held, [model.change(one)]);
            if (scopeOfRun % 10 === 0) held = await reopen();
            for (const asked of questions) {
              const query = model.query(asked);
              assert.deepEqual(
                (await listed(held, query)).map(({ id }) => id),
                model.find(asked),
                JSON.stringify(query),
              );
            }
          },
        ),
        { numRuns: 60, seed: 20_261_130 },
      );
    },
  );
}
let scopeOfRun = 0;

// ---------------------------------------------------------------- the model

const word = fc.constantFrom('a', 'b', 'c');
const severity = fc.constantFrom('info' as const, 'warning' as const, 'critical' as const);
const scope = fc.constantFrom('x', 'y');
const id = fc.constantFrom('1', '2', '3', '4');
const some = { requiredKeys: [] };

const change = fc.oneof(
  fc.record({
    kind: fc.constant('alert' as const),
    id,
    scope,
    at: fc.nat({ max: 4 }),
    set: fc.record(
      {
        state: fc.constantFrom('firing' as const, 'cleared' as const),
        severity,
        source: word,
        name: word,
        entity: fc.record({ host: word, service: word }, some),
        labels: fc.dictionary(word, word, { maxKeys: 2, noNullPrototype: true }),
        incident: fc.option(id),
      },
      some,
    ),
  }),
  fc.record({
    kind: fc.constant('incident' as const),
    id,
    scope,
    at: fc.nat({ max: 4 }),
    set: fc.record(
      {
        state: fc.constantFrom('open' as const, 'acknowledged' as const, 'resolved' as const),
        severity,
        sources: fc.uniqueArray(word, { maxLength: 2 }),
        storm: fc.boolean(),
        parent: fc.option(id),
      },
      some,
    ),
  }),
);
type Change = typeof change extends fc.Arbitrary<infer One> ? One : never;

const words = fc.array(word, { maxLength: 2 });
const common = {
  scopes: fc.oneof(fc.constant('all' as const), fc.uniqueArray(scope)),
  severities: fc.array(severity, { maxLength: 2 }),
  sources: words,
  names: words,
  hosts: words,
  services: words,
  since: fc.nat({ max: 4 }),
  until: fc.nat({ max: 5 }),
  sort: fc.constantFrom('worst' as const, 'newest' as const),
  limit: fc.integer({ min: 1, max: 4 }),
};
const matcher = fc.record({
  name: word,
  op: fc.constantFrom('=' as const, '!=' as const, '=~' as const, '!~' as const),
  value: fc.oneof(word, fc.constant('')),
});
const alertQuestion = fc.record({
  kind: fc.constant('alert' as const),
  ...common,
  states: fc.array(fc.constantFrom('firing' as const, 'cleared' as const), { maxLength: 2 }),
  matchers: fc.array(matcher, { maxLength: 2 }),
  incident: id,
});
const incidentQuestion = fc.record({
  kind: fc.constant('incident' as const),
  ...common,
  states: fc.array(fc.constantFrom('open' as const, 'acknowledged' as const, 'resolved' as const), { maxLength: 2 }),
  storm: fc.boolean(),
  parent: id,
  children: fc.constantFrom('show' as const, 'hide' as const),
});
const question = fc.oneof(withFew(alertQuestion), withFew(incidentQuestion));
type Question = typeof question extends fc.Arbitrary<infer One> ? One : never;

/** A question with at most three filters: with more, nearly nothing is ever found. */
function withFew<Whole extends { readonly kind: string; readonly scopes: unknown; readonly limit: number }>(
  whole: fc.Arbitrary<Whole>,
): fc.Arbitrary<Pick<Whole, 'kind' | 'scopes' | 'limit'> & Partial<Whole>> {
  const always = new Set(['kind', 'scopes', 'limit']);
  return whole.chain((asked) => {
    const names = Object.keys(asked).filter((name) => !always.has(name));
    return fc.subarray(names, { maxLength: 3 }).map((kept) => {
      const left = Object.entries(asked).filter(([name]) => always.has(name) || kept.includes(name));
      return Object.fromEntries(left) as Pick<Whole, 'kind' | 'scopes' | 'limit'> & Partial<Whole>;
    });
  });
}

interface Held {
  readonly kind: 'alert' | 'incident';
  readonly arrived: number;
  doc: AlertDocument | IncidentDocument;
  /** Alerts as they were when they were members. */
  readonly members: AlertDocument[];
}

interface Model {
  change(one: Change): DocumentPatch;
  query(asked: Question): ViewQuery<'alert' | 'incident'>;
  find(asked: Question): readonly string[];
}

const patternOf = (pattern: string, value: string): boolean => value !== '' && pattern.includes(value);

/** Scopes and ids of one run begin with a word of their own, so that runs share a store. */
function createModel(own: string): Model {
  const held: Held[] = [];
  const at = (kind: string, name: string | null): Held | undefined => held.find((one) => one.kind === kind && one.doc.id === name);
  const stateRank = (one: Held): number => ['firing', 'open', 'acknowledged', 'cleared', 'resolved'].indexOf(one.doc.state);
  const severityRank = (one: Held): number => ['critical', 'error', 'warning', 'info'].indexOf(one.doc.severity);

  function matches(one: Held, asked: Question): boolean {
    const { doc } = one;
    const known = 'labels' in doc ? [doc] : one.members;
    const any = (wanted: readonly string[] | undefined, has: readonly (string | undefined)[]): boolean =>
      wanted === undefined || wanted.some((each) => has.includes(each));
    return (
      one.kind === asked.kind &&
      (asked.scopes === 'all' ? doc.scope.startsWith(own) : asked.scopes.some((each) => own + each === doc.scope)) &&
      any(asked.states, [doc.state]) &&
      any(asked.severities, [doc.severity]) &&
      any(asked.sources, 'sources' in doc ? doc.sources : [doc.source]) &&
      any(
        asked.names,
        known.map(({ name }) => name),
      ) &&
      any(
        asked.hosts,
        known.map(({ entity }) => entity.host),
      ) &&
      any(
        asked.services,
        known.map(({ entity }) => entity.service),
      ) &&
      doc.at >= (asked.since ?? 0) &&
      doc.at < (asked.until ?? 99) &&
      (asked.kind === 'alert' ? alertMatches(doc as AlertDocument, asked) : incidentMatches(doc as IncidentDocument, asked))
    );
  }

  function alertMatches({ incident: of, labels }: AlertDocument, asked: Extract<Question, { kind: 'alert' }>): boolean {
    if (asked.incident !== undefined && of !== own + asked.incident) return false;
    return (asked.matchers ?? []).every(({ name, op, value }) => {
      const seen = labels[name] ?? '';
      if (op === '=' || op === '!=') return (seen === value) === (op === '=');
      return patternOf(value, seen) === (op === '=~');
    });
  }

  function incidentMatches(doc: IncidentDocument, asked: Extract<Question, { kind: 'incident' }>): boolean {
    if (asked.storm !== undefined && doc.storm !== asked.storm) return false;
    if (asked.parent !== undefined && doc.parent !== own + asked.parent) return false;
    const hides = asked.children === 'hide' || (asked.children === undefined && asked.parent === undefined);
    const parent = at('incident', doc.parent);
    if (!hides || parent === undefined || parent.doc.state === 'resolved') return true;
    const { states: _, storm: __, ...ofStorm } = asked;
    return asked.parent === undefined && !matches(parent, { ...ofStorm, scopes: 'all', children: 'show' });
  }

  return {
    change({ kind, id: name, scope: of, at: when, set }) {
      const linked = { ...set, ...('incident' in set && set.incident !== null ? { incident: own + set.incident } : {}) };
      const whole = { ...linked, ...('parent' in set && set.parent !== null ? { parent: own + set.parent } : {}) };
      const before = at(kind, own + name);
      const born = { id: own + name, scope: own + of, at: when };
      const one: Held = before ?? { kind, arrived: held.length, doc: blank[kind](born), members: [] };
      if (before === undefined) held.push(one);
      one.doc = { ...one.doc, ...whole } as Held['doc'];
      if (kind === 'incident' && before === undefined) {
        for (const { doc } of held) if ('incident' in doc && doc.incident === one.doc.id) one.members.push(doc);
      }
      if ('incident' in one.doc) at('incident', one.doc.incident)?.members.push(one.doc);
      return { kind, ...born, scope: one.doc.scope, begins: true, set: whole } as DocumentPatch;
    },
    query(asked) {
      const { matchers, ...rest } = { matchers: undefined, ...asked };
      const links = {
        ...('incident' in asked ? { incident: own + asked.incident } : {}),
        ...('parent' in asked ? { parent: own + asked.parent } : {}),
        ...(matchers === undefined ? {} : { labels: { matchers, pattern: patternOf } }),
      };
      // Of all scopes those of this run, which a store shares with others.
      const scopes = asked.scopes === 'all' ? ['x', 'y'] : asked.scopes;
      return { ...rest, ...links, scopes: scopes.map((each) => own + each) } as ViewQuery<'alert' | 'incident'>;
    },
    find(asked) {
      const worst = (asked.sort ?? (asked.kind === 'incident' ? 'worst' : 'newest')) === 'worst';
      const found = held.filter((one) => matches(one, asked));
      found.sort(
        (a, b) =>
          (worst ? stateRank(a) - stateRank(b) || severityRank(a) - severityRank(b) : 0) || b.doc.at - a.doc.at || b.arrived - a.arrived,
      );
      return found.map(({ doc }) => doc.id);
    },
  };
}
