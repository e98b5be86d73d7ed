// A range of a real gateway's log through other rules: what would have been, and what was, side by side.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryDisk } from '../../../adapters/memory/disk.ts';
import type { LogRange } from '../../../src/cli/command.ts';
import type { LogLine } from '../../../src/readmodel/answers.ts';
import type { Policy } from '../../../src/core/playbook/policy.ts';
import { minute, second } from '../../../src/core/time.ts';
import type { Comparison } from '../../../src/cli/results.ts';
import { compare } from '../../../src/offline/replay/compare.ts';
import { rangeIn } from '../../../src/offline/replay/log-range.ts';
import type { Topic } from '../../../src/ports/event-log.ts';
import { scratch } from '../../cli/support.ts';
import { someday, virtualClock, type VirtualClock } from '../../support/clock.ts';
import { eventOf } from '../../support/event.ts';
import { playbookOf, policyOf, stepOf } from '../../support/policy.ts';
import { expressions, running, type Running } from '../gateway.ts';

const rulesThen = policyOf({ holdOffMs: 0, settleMs: 0 });

async function recorded(happens: (gateway: Running, clock: VirtualClock) => Promise<void>, partitions = 1): Promise<readonly LogLine[]> {
  const clock = virtualClock();
  const gateway = await running(memoryDisk(), partitions, clock, rulesThen);
  await happens(gateway, clock);
  const lines: LogLine[] = [];
  for (let partition = 0; partition < partitions; partition += 1)
    for (const topic of ['inputs', 'facts'] as const)
      for (const record of await gateway.store.log.read(topic, partition, 0, 100_000)) lines.push({ topic, ...record } as LogLine);
  await gateway.stop();
  return structuredClone(lines);
}

function rangeOf(lines: readonly LogLine[], fromInput = 0): LogRange {
  async function* of(topic: Topic, partition: number): AsyncGenerator<LogLine> {
    for (const line of lines)
      if (line.topic === topic && line.partition === partition && (topic === 'facts' || line.offset >= fromInput)) yield line;
  }
  return {
    partitions: [...new Set(lines.map(({ partition }) => partition))],
    inputs: (partition) => of('inputs', partition),
    facts: (partition) => of('facts', partition),
  };
}

const nothing = { signal: new AbortController().signal, progress: () => {} };
const under = (range: LogRange, policy: Policy): Promise<Comparison> =>
  compare(range, { policy, endpoints: [], endpoint: () => null, expressions }, nothing);

const scope = 'acme';
const at = (clock: VirtualClock, name: string, host = name.toLowerCase()): ReturnType<typeof eventOf> =>
  eventOf({ name, entity: { host, service: name }, startedAt: clock.now(), observedAt: clock.now() });

test('the same rules decide the same: every alert, incident and page, none different', async () => {
  const lines = await recorded(async (gateway, clock) => {
    for (const name of ['Alpha', 'Beta', 'Alpha']) {
      await gateway.see(scope, at(clock, name));
      await clock.forward(20 * second);
    }
    await gateway.see('beta', at(clock, 'Gamma'));
    await clock.forward(second);
  }, 2);
  const report = await under(rangeOf(lines), rulesThen);
  assert.deepEqual(report.was, report.now);
  assert.deepEqual([report.now.alerts, report.now.incidents, report.now.pages], [4, 3, 3]);
  assert.deepEqual(report.different, { count: 0, kinds: {}, first: [] });
  assert.deepEqual([report.paged.onlyThen.count, report.paged.onlyNow.count, report.unanswered], [0, 0, 0]);
  assert.deepEqual(report.fromBefore, { alerts: 0, pages: 0, runs: 0 });
  assert.equal(report.from, new Date(someday).toISOString());
});

test('other rules: each alert decided otherwise is told with both reasons, and who would not have been woken', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(20 * second);
  });
  const quiet = policyOf({ paging: { severity: 'critical', score: 1.1 } });
  const report = await under(rangeOf(lines), quiet);
  assert.deepEqual(report.different.kinds, { 'hold to record': 1 });
  const [one] = report.different.first;
  assert.equal(one?.summary, 'Alpha on alpha');
  assert.match(one?.input ?? '', /^0:\d+$/);
  assert.match(`${one?.was.reason}, ${one?.now.reason}`, /watched for .*, below the paging rule/);
  assert.deepEqual([report.was?.pages, report.now.pages], [1, 0]);
  assert.deepEqual([report.paged.onlyThen.count, report.paged.onlyNow.count], [1, 0]);
  assert.match(report.paged.onlyThen.first[0]?.title ?? '', /Alpha/);
});

test('a playbook that was not there then is run in simulation, and spares the page', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(20 * second);
    await gateway.see(scope, { ...at(clock, 'Alpha'), claim: 'cleared' });
    await clock.forward(5 * second);
  });
  const playbooks = [
    playbookOf({
      triggers: [{ on: 'alert', when: 'alert.name == "Alpha"', forMs: 0 }],
      params: {},
      steps: [stepOf({ with: {} })],
      target: 'web',
    }),
  ];
  const report = await under(rangeOf(lines), policyOf({ playbooks, holdOffMs: 60 * minute }));
  assert.deepEqual([report.now.runs, report.was?.runs], [{ succeeded: 1 }, {}]);
  assert.deepEqual([report.paged.onlyThen.count, report.paged.onlyNow.count], [1, 0]);
});

test('answers, wakes, policy and commands of the real run are left out and counted', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await gateway.intake.submit({ type: 'CommandGiven', scope: '*', by: 'ann', command: { name: 'freeze', reason: 'x' } });
    await clock.forward(20 * second);
  });
  const { inputs } = await under(rangeOf(lines), rulesThen);
  assert.deepEqual(inputs.fed, { AlertSeen: 1 });
  assert.deepEqual(Object.keys(inputs.leftOut), ['CommandGiven', 'NotifyAnswered', 'NotifyClaimed', 'PolicyPublished', 'Woke']);
});

test('B1: a resolution by hand finds the incident by its alerts, though ids are others here', async () => {
  const story = async (gateway: Running, clock: VirtualClock): Promise<void> => {
    await gateway.see(scope, at(clock, 'Before'));
    await clock.forward(20 * second);
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(20 * second);
    await gateway.see(scope, at(clock, 'Beta'));
    await clock.forward(5 * second);
    const beta = (await gateway.facts()).findLast((fact) => fact.type === 'IncidentOpened');
    assert.ok(beta?.type === 'IncidentOpened' && beta.title.includes('Beta'));
    await gateway.intake.submit({ type: 'Resolved', scope, incident: beta.incident, by: 'ann', via: 'test', note: '' });
    await clock.forward(5 * second);
  };
  const lines = await recorded(story);
  const alpha = lines.find(({ topic, value }) => topic === 'inputs' && JSON.stringify(value).includes('"Alpha"'));
  const report = await under(rangeOf(lines, alpha?.offset), rulesThen);
  assert.deepEqual([report.inputs.fed['Resolved'], report.now.incidents, report.now.unresolved], [1, 2, 1]);
  assert.equal(report.was?.unresolved, 1);
});

test('an ack counts where a page rings here, too, and is left out where none does', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(5 * second);
    const opened = (await gateway.facts()).find((fact) => fact.type === 'PageOpened');
    assert.ok(opened?.type === 'PageOpened');
    await gateway.intake.submit({ type: 'Acked', scope, incident: opened.incident, page: opened.page, by: 'ann', via: 'link' });
    await clock.forward(5 * second);
  });
  assert.equal((await under(rangeOf(lines), rulesThen)).inputs.fed['Acked'], 1);
  const quiet = policyOf({ paging: { severity: 'critical', score: 1.1 } });
  assert.equal((await under(rangeOf(lines), quiet)).inputs.leftOut['Acked'], 1);
});

test('B2: what burnt before the range is told apart, not called a difference', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Old'));
    await clock.forward(20 * second);
    await gateway.see(scope, at(clock, 'Old'));
    await clock.forward(20 * second);
    await gateway.see(scope, at(clock, 'New'));
    await gateway.see(scope, { ...at(clock, 'Another', 'old'), entity: { host: 'old', service: 'Old' } });
    await clock.forward(5 * second);
  });
  const repeat = lines.filter(({ topic, value }) => topic === 'inputs' && value.type === 'AlertSeen')[1];
  const report = await under(rangeOf(lines, repeat?.offset), rulesThen);
  assert.deepEqual(report.different.count, 0);
  assert.deepEqual(report.fromBefore, { alerts: 2, pages: 0, runs: 0 }, 'the repeat, and what joined the old incident');
  assert.deepEqual([report.was?.incidents, report.paged.onlyNow.count, report.paged.onlyThen.count], [1, 0, 0]);
});

const seenIn = (lines: readonly LogLine[]): readonly LogLine[] =>
  lines.filter(({ topic, value }) => topic === 'inputs' && value.type === 'AlertSeen');

test('B2: what a silence of before muted is told apart; what one of the range muted is compared', async () => {
  const lines = await recorded(async (gateway, clock) => {
    const silence = (id: string, name: string): Promise<unknown> =>
      gateway.intake.submit({
        type: 'SilenceSet',
        scope,
        silence: {
          id,
          matchers: [{ name: 'alertname', op: '=', value: name }],
          startsAt: clock.now(),
          endsAt: clock.now() + 60 * minute,
          untilResolved: false,
          by: 'ann',
          comment: '',
        },
      });
    await silence('s-before', 'Hushed');
    await gateway.see(scope, at(clock, 'Early'));
    await clock.forward(minute);
    await gateway.see(scope, at(clock, 'Hushed'));
    await clock.forward(second);
    await silence('s-within', 'Quiet');
    await gateway.see(scope, at(clock, 'Quiet'));
    await clock.forward(20 * second);
  });
  const whole = await under(rangeOf(lines), rulesThen);
  assert.deepEqual([whole.now.decisions['suppress'], whole.different.count, whole.fromBefore.alerts], [2, 0, 0]);
  const report = await under(rangeOf(lines, seenIn(lines)[1]?.offset), rulesThen);
  assert.deepEqual(report.different, { count: 0, kinds: {}, first: [] });
  assert.deepEqual([report.fromBefore.alerts, report.was?.decisions, report.paged.onlyNow.count], [1, { suppress: 1 }, 0]);
});

test('B2: what flapped before is told apart', async () => {
  const lines = await recorded(async (gateway, clock) => {
    for (let round = 0; round < 8; round += 1) {
      const alert = at(clock, 'Alpha');
      await gateway.see(scope, alert);
      await clock.forward(5 * second);
      await gateway.see(scope, { ...alert, claim: 'cleared', observedAt: clock.now() });
      await clock.forward(5 * second);
    }
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(5 * second);
  });
  assert.ok(lines.some(({ topic, value }) => topic === 'facts' && value.type === 'AlertFlapping'));
  assert.equal((await under(rangeOf(lines), rulesThen)).different.count, 0);
  const report = await under(rangeOf(lines, seenIn(lines).at(-1)?.offset), rulesThen);
  assert.deepEqual([report.different.count, report.fromBefore.alerts], [0, 1], JSON.stringify(report.different));
});

test('decisions about what came before the range are not held, nor alerts that can have none', async (t) => {
  const lines = await recorded(async (gateway, clock) => {
    for (let number = 0; number < 40; number += 1) await gateway.see(scope, at(clock, `Alert${number}`));
    await clock.forward(5 * second);
  });
  const held = async (range: LogRange): Promise<number> => {
    let most = 0;
    const { set } = Map.prototype;
    const watched = t.mock.method(Map.prototype, 'set', function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
      set.call(this, key, value);
      if (/^\d+:\d+$/.test(String(key))) most = Math.max(most, this.size);
      return this;
    });
    await under(range, rulesThen);
    watched.mock.restore();
    return most;
  };
  assert.ok((await held(rangeOf(lines.filter(({ topic }) => topic === 'inputs')))) <= 1, 'no facts: nothing to meet');
  const inputs = seenIn(lines);
  assert.ok((await held(rangeOf(lines, inputs[38]?.offset))) <= 2, 'of all decisions only those of the range');
  assert.ok((await held(rangeOf(lines))) > 0, 'the measure measures');
});

test('what was decided after the range is not held against it', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(20 * second);
    await gateway.see(scope, at(clock, 'Later'));
    await clock.forward(5 * second);
  });
  const [, later] = lines.filter(({ topic, value }) => topic === 'inputs' && value.type === 'AlertSeen');
  const report = await under(rangeOf(lines.filter(({ topic, offset }) => topic === 'facts' || offset < (later?.offset ?? 0))), rulesThen);
  assert.deepEqual([report.was, report.different.count, report.unanswered], [report.now, 0, 0]);
});

test('repeats of facts that a second host left change nothing', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(5 * second);
  });
  const facts = lines.filter(({ topic, value }) => topic === 'facts' && value.type === 'PageOpened');
  assert.equal(facts.length, 1);
  const again = ({ offset, ...rest }: LogLine): LogLine => ({ ...rest, offset: offset + lines.length });
  const doubled = [...lines, ...facts.map(again)];
  assert.deepEqual(await under(rangeOf(doubled), rulesThen), await under(rangeOf(lines), rulesThen));
});

test('without facts there is nothing to compare with, and the report says so', async () => {
  const lines = await recorded(async (gateway, clock) => {
    await gateway.see(scope, at(clock, 'Alpha'));
    await clock.forward(5 * second);
  });
  const report = await under(rangeOf(lines.filter(({ topic }) => topic === 'inputs')), rulesThen);
  assert.deepEqual([report.was, report.unanswered, report.now.pages, report.paged.onlyNow.count], [null, 1, 1, 0]);
});

test('an export in a file is the same range; a line that is none stops with its number', async () => {
  const lines = await recorded(async (gateway, clock) => {
    for (const one of ['acme', 'beta', 'gamma']) await gateway.see(one, at(clock, 'Alpha'));
    await clock.forward(5 * second);
  }, 2);
  const { dir, remove } = scratch();
  const file = join(dir, 'export.jsonl');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  assert.deepEqual(await under(await rangeIn(file), rulesThen), await under(rangeOf(lines), rulesThen));
  writeFileSync(file, `${JSON.stringify(lines[0])}\n{"topic":"inputs"}\n`);
  await assert.rejects(rangeIn(file), { code: 'invalid_request', message: /line 2/ });
  writeFileSync(file, '');
  await assert.rejects(rangeIn(file), { code: 'invalid_request', message: /inputs, seen none/ });
  remove();
});

test('a record that is none of ours is refused with file and line before anything is turned', async () => {
  const { dir, remove } = scratch();
  const file = join(dir, 'export.jsonl');
  const event = eventOf();
  const value = { type: 'AlertSeen', scope, at: someday, endpoint: 'hook', delivery: '', index: 0, event };
  const line = { topic: 'inputs', partition: 0, offset: 0, scope, value };
  const { scope: _scope, ...placeless } = value;
  const { event: _event, ...eventless } = value;
  const table: readonly (readonly [string, object])[] = [
    ['a time beyond all dates', { ...line, value: { ...value, at: 8_640_000_000_000_001 } }],
    ['half a millisecond', { ...line, value: { ...value, at: 0.5 } }],
    ['no scope of the record', { ...line, scope: 7 }],
    ['no scope of the input', { ...line, value: placeless }],
    ['no alert', { ...line, value: eventless }],
    ['text for an alert', { ...line, value: { ...value, event: 'x' } }],
    ['an empty alert', { ...line, value: { ...value, event: {} } }],
    ['an alert of no date', { ...line, value: { ...value, event: { ...event, startedAt: 9e15 } } }],
  ];
  for (const [says, wrong] of table) {
    writeFileSync(file, `${JSON.stringify(line)}\n${JSON.stringify(wrong)}\n`);
    await assert.rejects(rangeIn(file), { code: 'invalid_request', message: /export\.jsonl: line 2: expected a record/ }, says);
  }
  remove();
});

test('what can be read only once is refused, not waited for', async () => {
  const { dir, remove } = scratch();
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(rangeIn(pipe), { code: 'invalid_request', message: /pipe: expected a regular file/ });
  await assert.rejects(rangeIn(dir), { code: 'invalid_request', message: /expected a regular file/ });
  remove();
});
