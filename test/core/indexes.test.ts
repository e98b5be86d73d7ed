// D3: what an index finds is what a look at everything would find; indexes are what keeps a cost from growing with what is open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createExpressions, type CelExpressions } from '../../adapters/cel/expressions.ts';
import { boundedBy, matchesAll, newBudget, type Matchable, type Matcher } from '../../src/core/alert/labels.ts';
import type { TurnContext } from '../../src/core/context.ts';
import { holding, viewsFor } from '../../src/core/decide/condition.ts';
import { questionsFor } from '../../src/core/decide/triggers.ts';
import { newDesk } from '../../src/core/desk.ts';
import type { Silence } from '../../src/core/mute/facts.ts';
import { shapeOf } from '../../src/core/mute/shape.ts';
import { indexSilence, newSilenceIndex, silencesFor, unindexSilence } from '../../src/core/mute/silences.ts';
import { addText, dropText, newOrdered, textsFrom } from '../../src/core/ordered.ts';
import { minute } from '../../src/core/time.ts';
import { turn } from '../../src/core/turn.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { playbookOf, policyOf } from '../support/policy.ts';
import { tell } from '../support/story.ts';

const expressions = createExpressions();
const tested = boundedBy(newBudget(Number.POSITIVE_INFINITY), expressions);

// ---------------------------------------------------------------- ordered texts

test('D3: ordered texts are walked from any text as a sorted list is, whatever came and went', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '0'), maxLength: 6 });
  const deed = fc.record({ adds: fc.boolean(), texts: fc.array(text, { maxLength: 400 }) });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 8 }), text, (deeds, from) => {
      const texts = newOrdered();
      const all = new Set<string>();
      for (const { adds, texts: each } of deeds) {
        for (const one of each) {
          if (adds) addText(texts, one);
          else dropText(texts, one);
          if (adds) all.add(one);
          else all.delete(one);
        }
      }
      assert.deepEqual([...textsFrom(texts, from)], [...all].filter((one) => one >= from).sort());
      assert.equal(texts.size, all.size);
    }),
  );
});

test('D3: ordered texts hold thousands, and lose all of them', () => {
  const texts = newOrdered();
  const all = Array.from({ length: 5_000 }, (_, at) => String((at * 7_919) % 5_000).padStart(5, '0'));
  for (const one of all) addText(texts, one);
  assert.deepEqual([...textsFrom(texts, '02500')], all.filter((one) => one >= '02500').sort());
  for (const one of all) dropText(texts, one);
  assert.deepEqual([texts.size, [...textsFrom(texts, '')], texts.buckets.size], [0, [], 0]);
});

// ---------------------------------------------------------------- the shape of a pattern

const shapes: readonly (readonly [pattern: string, shape: ReturnType<typeof shapeOf>])[] = [
  ['web1', { values: ['web1'] }],
  ['web1|web2|db', { values: ['web1', 'web2', 'db'] }],
  ['^(?:web1|web2)$', { values: ['web1', 'web2'] }],
  ['(web1|web2)', { values: ['web1', 'web2'] }],
  ['web1\\.example\\.org', { values: ['web1.example.org'] }],
  ['web1|', { values: ['web1', ''] }],
  ['web.*', { prefix: 'web' }],
  ['web-?1', { prefix: 'web' }],
  ['webb*', { prefix: 'web' }],
  ['db(1|2)\\..*', { prefix: 'db' }],
  ['db[0-9]+', { prefix: 'db' }],
  ['d😀+', { prefix: 'd' }],
  ['web\\d', { prefix: 'web' }],
  ['web\\$', { values: ['web$'] }],
  ['web.*|db', null],
  ['w(a)|b', null],
  ['(a|b)|c(d)', null],
  ['(?i)web', null],
  ['.*web', null],
  ['[|]a', null],
  ['a[(]|b', null],
  ['a\\Q(\\E|b', null],
];

for (const [pattern, shape] of shapes) {
  test(`S5: the shape of ${pattern} is ${JSON.stringify(shape)}`, () => assert.deepEqual(shapeOf(pattern), shape));
}

/** Patterns full of what means something, and values that are likely to fit. */
const piece = fc.constantFrom(
  '*',
  '+',
  '?',
  'a',
  'b',
  'ab',
  '.',
  '.*',
  'a?',
  'b*',
  'a+',
  '(',
  ')',
  '(?:',
  '(?i)',
  '|',
  '[ab]',
  '[^a]',
  '[|]',
  '\\.',
  '\\d',
  '\\Q',
  '\\E',
  '{2}',
  '^',
  '$',
  '\\$',
  '\\b',
  '😀',
  'A',
);
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const value = fc.string({ unit: fc.constantFrom('a', 'b', '.', '$', '|', '(', '1', 'A', '😀', '\n'), maxLength: 6 });

test('S5: a value that fits a pattern has the shape of the pattern', () => {
  let fitted = 0;
  fc.assert(
    fc.property(pattern, fc.array(value, { maxLength: 30 }), (text, values) => {
      const shape = shapeOf(text);
      if (shape === null) return;
      for (const one of [...values, 'a', 'b', 'ab', 'aa', 'aba', 'a.b']) {
        if (!expressions.pattern(text, one)) continue;
        fitted += 1;
        assert.ok('values' in shape ? shape.values.includes(one) : one.startsWith(shape.prefix), `${text} fits ${JSON.stringify(one)}`);
      }
    }),
    { numRuns: 20_000 },
  );
  assert.ok(fitted > 1_000, `only ${fitted} values fitted`);
});

// ---------------------------------------------------------------- silences

const name = fc.constantFrom('host', 'severity', 'team', 'alertname', 'instance', 'constructor');
const word = fc.constantFrom('', 'a', 'b', 'ab', 'abc', 'b1', 'critical', `${'x'.repeat(1_100)}`);
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({ name, op: fc.constantFrom('=' as const, '!=' as const), value: word }),
  fc.record({
    name,
    op: fc.constantFrom('=~' as const, '!~' as const),
    value: fc.oneof(fc.constantFrom('a.*', 'ab|b1', 'a|', '.*b', 'b[0-9]', '('), pattern),
  }),
);
const silence = fc.record({
  id: fc.integer({ min: 0, max: 30 }).map((at) => `s${at}`),
  matchers: fc.array(matcher, { maxLength: 4 }),
  endsAt: fc.integer({ min: 1, max: 4 }),
});
const alert: fc.Arbitrary<Matchable> = fc.record(
  {
    labels: fc.dictionary(name, fc.oneof(word, value)),
    entity: fc.record({ host: word }),
    name: word,
    severity: fc.constantFrom('critical', 'a'),
    source: fc.constant('s'),
  },
  { requiredKeys: ['labels'] },
);

test('D3, S1: of all silences those that match an alert are found, in their order, whichever came and went', () => {
  let matched = 0;
  const deed = fc.record({ ends: fc.boolean(), silence });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 60 }), fc.array(alert, { minLength: 1, maxLength: 5 }), (deeds, alerts) => {
      const index = newSilenceIndex();
      const all = new Map<string, Silence>();
      for (const { ends, silence: one } of deeds) {
        const before = all.get(one.id);
        if (before !== undefined) unindexSilence(index, before);
        all.delete(one.id);
        if (ends) continue;
        const set: Silence = { ...one, startsAt: 0, untilResolved: false, by: '', comment: '' };
        all.set(one.id, set);
        indexSilence(index, set);
      }
      for (const each of alerts) {
        const fits = ({ matchers }: Silence): boolean => matchesAll(matchers, each, tested);
        const looked = [...all.values()].filter(fits).sort((a, b) => b.endsAt - a.endsAt || (a.id < b.id ? -1 : 1));
        matched += looked.length;
        assert.deepEqual([...silencesFor(index, each)].filter(fits), looked);
      }
      for (const each of all.values()) unindexSilence(index, each);
      assert.deepEqual(
        index,
        newSilenceIndex().sorted === index.sorted ? newSilenceIndex() : { ...newSilenceIndex(), sorted: index.sorted },
      );
    }),
    { numRuns: 2_000 },
  );
  assert.ok(matched > 1_000, `only ${matched} silences matched`);
});

// ---------------------------------------------------------------- triggers

const texts = ['a', 'b', 'c', ''];
const paths = [
  'alert.name',
  'alert.labels.team',
  'alert.labels["team"]',
  'alert.severity',
  'incident.name',
  'alert.nothing',
  'alert.labels.?team',
];
const literal = fc.constantFrom(...texts.map((text) => JSON.stringify(text)), '1', 'null', 'alert.source');
const { condition } = fc.letrec<{ readonly condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(fc.constantFrom(...paths), literal).map(([path, text]) => `${path} == ${text}`),
    fc.tuple(literal, fc.constantFrom(...paths)).map(([text, path]) => `${text} == ${path}`),
    fc.tuple(fc.constantFrom(...paths), fc.array(literal, { maxLength: 3 })).map(([path, list]) => `${path} in [${list.join(', ')}]`),
    fc.constantFrom(
      'true',
      'has(alert.labels.team)',
      'alert.name != "a"',
      'alert.count > 1',
      '"a" in alert.labels',
      'alert.name.startsWith("a")',
    ),
    fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map(([left, op, right]) => `(${left}) ${op} (${right})`),
    tie('condition').map((of) => `!(${of})`),
    fc.tuple(tie('condition'), tie('condition'), tie('condition')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
  ),
}));
const text = fc.constantFrom(...texts);
const seen = fc.record(
  { name: text, severity: text, source: text, count: fc.nat(3), labels: fc.record({ team: text, a: text }, { requiredKeys: [] }) },
  { requiredKeys: ['name', 'severity', 'source', 'count', 'labels'] },
);

test('A1: where a condition holds, what it asks for with certainty is there', () => {
  let held = 0;
  fc.assert(
    fc.property(
      condition,
      fc.array(fc.record({ alert: seen, incident: fc.record({ name: text }) }), { maxLength: 12 }),
      (when, environments) => {
        const asks = expressions.asks(when);
        for (const environment of environments) {
          const answer = expressions.evaluate(when, environment);
          if (!answer.ok || answer.value !== true || asks.length === 0) continue;
          held += 1;
          for (const { path, values } of asks) {
            const at = path.reduce<unknown>(
              (of, part) => (typeof of === 'object' && of !== null ? Reflect.get(of, part) : undefined),
              environment,
            );
            assert.ok(values.includes(String(at)) && typeof at === 'string', `${when} holds with ${path.join('.')} = ${String(at)}`);
          }
        }
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(held > 100, `only ${held} conditions held`);
});

const asked: readonly (readonly [when: string, asks: ReturnType<typeof expressions.asks>])[] = [
  ['alert.name == "Down"', [{ path: ['alert', 'name'], values: ['Down'] }]],
  [
    'alert.severity == "critical" && "web" == alert.labels["k8s/app"]',
    [
      { path: ['alert', 'severity'], values: ['critical'] },
      { path: ['alert', 'labels', 'k8s/app'], values: ['web'] },
    ],
  ],
  ['alert.name in ["A", "B"] && alert.count > 2', [{ path: ['alert', 'name'], values: ['A', 'B'] }]],
  ['alert.name == "A" || alert.name == "B" && alert.count > 2', [{ path: ['alert', 'name'], values: ['A', 'B'] }]],
  ['alert.name == "A" || alert.host == "B"', []],
  ['alert.name != "A"', []],
  ['!(alert.name == "A")', []],
  ['alert.count == 3', []],
  ['alert.name.startsWith("A")', []],
  ['none of this can be read', []],
];
for (const [when, asks] of asked)
  test(`A1: ${when} asks for ${JSON.stringify(asks)}`, () => assert.deepEqual(expressions.asks(when), asks));

test('D3: of all playbooks those whose condition holds are found, in the order of the policy', () => {
  let held = 0;
  const trigger = fc.record({
    on: fc.constantFrom('alert' as const, 'incident' as const),
    when: condition,
    forMs: fc.constantFrom(0, minute),
  });
  const playbook = fc.record({ mode: fc.constantFrom('auto' as const, 'off' as const), triggers: fc.array(trigger, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(playbook, { maxLength: 20 }), fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }), (parts, alerts) => {
      const policy = policyOf({ playbooks: parts.map((part, at) => playbookOf({ ...part, name: `p${at}` })) });
      const story = tell(policyOf());
      const service = 'shared';
      for (const [rule, team] of alerts)
        story.see(eventOf({ name: rule, entity: { service, host: `${rule}${team}` }, labels: { team }, severity: 'warning' }));
      for (const incident of story.desk().tables.incidents.rows.values()) {
        const ctx: TurnContext = {
          policy,
          expressions,
          desk: story.desk(),
          at: story.now(),
          frozen: null,
          installation: null,
          facts: [],
          offset: 0,
          toDeliberate: new Set(),
          matching: newBudget(0),
        };
        const view = viewsFor(ctx, incident);
        for (const isHeld of [false, true]) {
          const questions = questionsFor(ctx, incident, () => view, { arrived: null, held: isHeld });
          const found = questions.filter(({ trigger: of, fingerprint }) => holding(ctx, view, of, fingerprint) !== null);
          const looked = policy.playbooks.flatMap((one) =>
            one.triggers.flatMap((of, index) =>
              one.mode === 'off' || (isHeld && of.forMs === 0)
                ? []
                : (of.on === 'incident' ? [incident.root] : incident.listed)
                    .filter((fingerprint) => holding(ctx, view, of, fingerprint) !== null)
                    .map((fingerprint) => [one.name, index, fingerprint]),
            ),
          );
          held += looked.length;
          assert.deepEqual(
            found.map(({ playbook: { name: by }, index, fingerprint }) => [by, index, fingerprint]),
            looked,
          );
        }
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(held > 300, `only ${held} conditions held`);
});

// ---------------------------------------------------------------- what is asked, counted

/** Counts what the language of conditions and the engine of patterns are asked. */
function counting(): { readonly expressions: CelExpressions; take(): number } {
  let asks = 0;
  const count = <T>(answer: T): T => {
    asks += 1;
    return answer;
  };
  return {
    expressions: {
      ...expressions,
      evaluate: (when, environment) => count(expressions.evaluate(when, environment)),
      pattern: (of, one) => count(expressions.pattern(of, one)),
    },
    take() {
      const taken = asks;
      asks = 0;
      return taken;
    },
  };
}

test('D3: a new alert asks hardly any of a thousand playbooks and a thousand silences that are about others', () => {
  const { expressions: counted, take } = counting();
  const playbooks = Array.from({ length: 1_000 }, (_, at) =>
    playbookOf({
      name: `p${at}`,
      digest: `d${at}`,
      triggers: [{ on: 'alert', when: `alert.severity == "critical" && alert.name == "Other${at}"`, forMs: at % 2 }],
    }),
  );
  const desk = newDesk('default');
  const rules = { policy: policyOf({ playbooks }), frozen: null, installation: null, expressions: counted };
  for (let at = 0; at < 999; at += 1) {
    const matchers = [
      { name: 'severity', op: '=' as const, value: 'critical' },
      { name: 'host', op: '=~' as const, value: `db${at}\\..*` },
    ];
    const one = { id: `s${at}`, matchers, startsAt: someday, endsAt: someday + minute, untilResolved: false, by: '', comment: '' };
    turn(desk, { type: 'SilenceSet', scope: 'default', at: someday, silence: one }, rules, at);
  }
  take();
  const event = eventOf({ entity: { host: 'web1.example.org', service: 'checkout' } });
  turn(desk, { type: 'AlertSeen', scope: 'default', at: someday, endpoint: 'e', delivery: '', index: 0, event }, rules, 1_000);
  assert.ok(take() < 10); // the first of each is found by the severity that all share
  const hit = eventOf({ entity: { host: 'db17.example.org', service: 'checkout' }, name: 'Other3' });
  const facts = turn(
    desk,
    { type: 'AlertSeen', scope: 'default', at: someday, endpoint: 'e', delivery: '', index: 0, event: hit },
    rules,
    1_001,
  );
  assert.ok(facts.some((fact) => fact.type === 'AlertMuted' && fact.reason?.kind === 'silence' && fact.reason.silence === 's17'));
  assert.ok(take() < 20);
});
