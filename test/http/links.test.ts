// The links beside the acknowledgement: one that shows an incident (src/http/door/incident.ts), one that takes a yes or a no (answer.ts).
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import supertest from 'supertest';
import { signLink, type LinkClaim } from '../../src/http/door/links.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
import { front, noon, showing, type Front } from './support.ts';

const claim: LinkClaim = {
  scope: 'default',
  incident: 'i1.default',
  page: 'p1.default',
  to: 'ops',
  expiresAt: noon + 3_600_000,
  run: 'r1.default',
};
const answer = `/answer/${signLink('new-ack-secret', 'answer', claim)}`;
const incident = `/incident/${signLink('new-ack-secret', 'incident', claim)}`;
const born = { scope: 'default', at: noon, begins: true } as const;

async function serving(t: TestContext): Promise<Front & { readonly to: ReturnType<typeof supertest> }> {
  const made = await front({ limits: { answerWaitMs: 60 } });
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  const waits = {
    incident: 'i1.default',
    state: 'waiting',
    mode: 'approve',
    playbook: 'restart-web',
    target: 'web1',
    approvalUntil: noon + 600_000,
  } as const;
  const patches: readonly DocumentPatch[] = [
    {
      kind: 'incident',
      id: 'i1.default',
      ...born,
      set: { title: 'nginx <b> on web1', severity: 'critical', members: 1, sources: ['prometheus'] },
    },
    { kind: 'run', id: 'r1.default', ...born, set: waits },
  ];
  const line = { incident: 'i1.default', scope: 'default', at: noon, type: 'RunMoved', detail: { run: 'r1.default' } };
  await showing(made.store, patches, [
    { ...line, seq: 1, text: 'would call shell/run systemctl restart nginx' },
    { ...line, seq: 2, text: 'would call shell/run rm -rf /other', detail: { run: 'r2.default' } },
    { ...line, seq: 3, type: 'IncidentNoted', text: '<script>alert(1)</script>' },
  ]);
  return { ...made, to: supertest(`http://127.0.0.1:${port}`) };
}

test('B18: the link of an incident shows how it stands and its story, as text, and changes nothing', async (t) => {
  const made = await serving(t);
  const { text } = await made.to.get(incident).expect(200);
  assert.match(text, /<h1>\[critical\] nginx &lt;b&gt; on web1<\/h1><p>Nobody has it\.<\/p>/);
  assert.match(text, /12:00 UTC {2}&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  assert.match(text, /<h2>Playbook restart-web on web1<\/h2>/);
  assert.doesNotMatch(text, /<script|<form/);
  await made.to.post(incident).expect(405);
  assert.deepEqual(await made.inputs(), []);
});

test('B18: the link of an incident shows no other tenant’s, and says so when nothing can be shown', async (t) => {
  const made = await serving(t);
  const other = `/incident/${signLink('new-ack-secret', 'incident', { ...claim, scope: 'other' })}`;
  assert.doesNotMatch((await made.to.get(other).expect(200)).text, /nginx|Playbook/);
  t.mock.method(made.store.views, 'timeline', () => Promise.reject(new Error('away')));
  assert.match((await made.to.get(incident).expect(200)).text, /It is not shown here now/);
});

test('B18: a link that asks for a yes shows the exact commands of its own run, the target and until when; looking does nothing', async (t) => {
  const made = await serving(t);
  const { text } = await made.to.get(answer).expect(200);
  assert.match(text, /<h1>Let playbook restart-web act on web1\?<\/h1>/);
  assert.match(text, /It waits until 12:10 UTC \(10m\)\./);
  assert.match(text, /<h2>It would run<\/h2><pre>shell\/run systemctl restart nginx<\/pre>/);
  assert.deepEqual(await made.inputs(), []);
});

for (const [word, input] of [
  ['yes', { type: 'Approved', scope: 'default', run: 'r1.default', by: 'anna', via: 'link to ops', at: noon }],
  ['no', { type: 'Denied', scope: 'default', run: 'r1.default', by: 'anna', via: 'link to ops', note: 'not now', at: noon }],
] as const) {
  test(`B5: a ${word} by link is said in the name that was given, and nothing is claimed before it is known`, async (t) => {
    const made = await serving(t);
    const kept = await made.to.post(answer).type('form').send({ name: 'anna', answer: word, note: 'not now' }).expect(202);
    assert.match(kept.text, /Your word is taken in/);
    assert.deepEqual(
      (await made.inputs()).map(({ value }) => value),
      [input],
    );
  });
}

test('B5: without a name, or with neither yes nor no, a link decides nothing', async (t) => {
  const made = await serving(t);
  for (const fields of [{}, { answer: 'yes' }, { name: 'anna' }, { name: 'anna', answer: 'maybe' }]) {
    await made.to.post(answer).type('form').send(fields).expect(400);
  }
  assert.deepEqual(await made.inputs(), []);
});

test('B6: a yes that comes too late learns who was first, and is not handed in', async (t) => {
  const made = await serving(t);
  await showing(made.store, [{ kind: 'run', id: 'r1.default', ...born, set: { state: 'working', approvedBy: 'ben' } }]);
  const { text } = await made.to.post(answer).type('form').send({ name: 'anna', answer: 'yes' }).expect(409);
  assert.match(text, /run r1\.default was approved by ben, and is at work/);
  assert.doesNotMatch((await made.to.get(answer).expect(200)).text, /<form/);
  assert.deepEqual(await made.inputs(), []);
});
