// The links beside the acknowledgement: one that shows an incident (src/http/door/incident.ts), one that takes a yes or a no (answer.ts).
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import supertest from 'supertest';
import { signLink, type LinkClaim } from '../../src/http/door/links.ts';
import type { DocumentPatch } from '../../src/readmodel/patch.ts';
import { front, noon, showing, tokens, type Front, type FrontOptions } from './support.ts';

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

async function serving(
  t: TestContext,
  approvals: FrontOptions['approvals'] = { byLink: true, approvers: [] },
): Promise<Front & { readonly to: ReturnType<typeof supertest> }> {
  const made = await front({ limits: { answerWaitMs: 60 }, approvals });
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

const closed = { byLink: false, approvers: ['anna'] } as const;
const toAnna = `/answer/${signLink('new-ack-secret', 'answer', { ...claim, to: 'anna-mail', person: 'anna' })}`;
const toBen = `/answer/${signLink('new-ack-secret', 'answer', { ...claim, to: 'ben-mail', person: 'ben' })}`;

describe('A.6: who may let a playbook act by a link', () => {
  test('a yes by a link that a channel can read needs a token, and is said in its name; the form says so', async (t) => {
    const made = await serving(t, closed);
    const { text } = await made.to.get(answer).expect(200);
    assert.match(text, /Whoever can read this link may say no\. A yes needs a token of role operate/);
    assert.match(text, /<input name="token" type="password" required[^>]*><\/label><\/p><button name="answer" value="yes">/);
    const says = (fields: object): supertest.Test =>
      made.to
        .post(answer)
        .type('form')
        .send({ answer: 'yes', ...fields });
    assert.match((await says({ name: 'anna' }).expect(400)).text, /A yes needs your token/);
    assert.match((await says({ name: 'anna', token: 'guessed' }).expect(403)).text, /no token of this gateway/);
    assert.match((await says({ token: tokens.read }).expect(403)).text, /The token rita may only read/);
    assert.deepEqual(await made.inputs(), []);
    await says({ name: 'somebody else', token: tokens.operate }).expect(202);
    assert.deepEqual(
      (await made.inputs()).map(({ value }) => value),
      [{ type: 'Approved', scope: 'default', run: 'r1.default', by: 'olga', via: 'token at a link to ops', at: noon }],
    );
  });

  test('a token that is guessed at a link is counted, and the connection closed', async (t) => {
    const made = await serving(t, closed);
    const refused = await made.to.post(answer).type('form').send({ answer: 'yes', token: 'guessed' }).expect(403);
    assert.equal(refused.headers['connection'], 'close');
    await made.to.post(answer).type('form').send({ answer: 'yes' }).expect(400);
    assert.match((await made.to.get('/metrics')).text, /quench_failed_logins_total\{door="links"\} 1/);
    assert.deepEqual(made.logged.at(-1)?.text, 'failed logins within the last minute');
  });

  test('a token for other scopes lets nothing run here', async (t) => {
    const made = await serving(t, closed);
    const other = `/answer/${signLink('new-ack-secret', 'answer', { ...claim, scope: 'other' })}`;
    await made.to.post(other).type('form').send({ answer: 'yes', token: tokens.bound }).expect(202);
    assert.match(
      (await made.to.post(answer).type('form').send({ answer: 'yes', token: tokens.bound }).expect(403)).text,
      /is for other scopes/,
    );
    assert.equal((await made.inputs()).length, 1);
  });

  test('everybody who has a link may say no, with a name', async (t) => {
    const made = await serving(t, closed);
    await made.to.post(answer).type('form').send({ answer: 'no' }).expect(400);
    await made.to.post(answer).type('form').send({ answer: 'no', name: 'carl', note: 'not now' }).expect(202);
    assert.partialDeepStrictEqual((await made.inputs())[0]?.value, { type: 'Denied', by: 'carl', via: 'link to ops' });
  });

  test('an approver says yes by their own link and no token; who is none does not, and no form makes one an approver', async (t) => {
    const made = await serving(t, closed);
    assert.match((await made.to.get(toAnna).expect(200)).text, /<button name="answer" value="yes">Yes, run it as anna<\/button>/);
    await made.to.post(toBen).type('form').send({ answer: 'yes', name: 'anna' }).expect(400);
    await made.to.post(answer).type('form').send({ answer: 'yes', name: 'anna', person: 'anna' }).expect(400);
    assert.deepEqual(await made.inputs(), []);
    await made.to.post(toAnna).type('form').send({ answer: 'yes', name: 'ben' }).expect(202);
    assert.partialDeepStrictEqual((await made.inputs())[0]?.value, { type: 'Approved', by: 'anna', via: 'personal link to anna-mail' });
  });

  test('who is an approver is asked when the word comes, not when the link was made', async (t) => {
    const approvals = { byLink: false, approvers: ['anna'] };
    const made = await serving(t, approvals);
    await made.to.get(toAnna).expect(200);
    approvals.approvers = [];
    await made.to.post(toAnna).type('form').send({ answer: 'yes' }).expect(400);
    assert.deepEqual(await made.inputs(), []);
  });
});
