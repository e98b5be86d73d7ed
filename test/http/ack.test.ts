// B5, B6: the link in a page by which its reader takes the incident (src/http/door/ack.ts), and its token (links.ts).
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import supertest from 'supertest';
import { readLink, signLink, type LinkClaim, type LinkKind } from '../../src/http/door/links.ts';
import type { DocumentPatch, PatchOf } from '../../src/readmodel/patch.ts';
import { front, noon, showing, tokens, type Front } from './support.ts';

const claim: LinkClaim = { scope: 'default', incident: 'i1.default', page: 'p1.default', to: 'ops-mail', expiresAt: noon + 3_600_000 };
const token = signLink('new-ack-secret', 'ack', claim);
const place = { scope: 'default', at: noon, begins: true } as const;
const clockNoon = '12:00 UTC';

type Reader = Front & { readonly to: ReturnType<typeof supertest>; acks(): Promise<readonly object[]> };

async function serving(t: TestContext): Promise<Reader> {
  const made = await front({ limits: { answerWaitMs: 60 } });
  const port = await made.http.start(0, '127.0.0.1');
  t.after(() => made.http.stop());
  return {
    ...made,
    to: supertest(`http://127.0.0.1:${port}`),
    acks: async () => (await made.inputs()).map(({ value }) => value as object),
  };
}

function incident(set: PatchOf<'incident'>['set']): DocumentPatch {
  return { kind: 'incident', id: 'i1.default', ...place, set: { title: 'disk full on db1', ...set } };
}

function page(id: string, set: PatchOf<'page'>['set'], at: number = noon): DocumentPatch {
  return { kind: 'page', id, ...place, at, set: { incident: 'i1.default', openedAt: at, ...set } };
}

function says(made: Reader, fields: object = { name: 'Anna' }): supertest.Test {
  return made.to.post(`/ack/${token}`).type('form').send(fields);
}

/** The read model shows this as soon as an input has come in. */
function showsAfterwards(t: TestContext, made: Front, patches: readonly DocumentPatch[]): void {
  const submit = made.intake.submit.bind(made.intake);
  t.mock.method(made.intake, 'submit', async (input: Parameters<typeof submit>[0]) => {
    await submit(input);
    await showing(made.store, patches);
  });
}

describe('B5: who acknowledges', () => {
  test('looking at the link asks who it is; only the button acts, in the name that was given', async (t) => {
    const made = await serving(t);
    const title = '<img src=x onerror=alert(1)>';
    await showing(made.store, [incident({ title, state: 'open' }), page('p1.default', { state: 'ringing' })]);
    const asked = await made.to.get(`/ack/${token}`).expect(200);
    await made.to.head(`/ack/${token}`).expect(200);
    assert.deepEqual(await made.inputs(), []);
    assert.match(asked.text, /<form method="post">/);
    assert.match(asked.text, /<input name="name" required/);
    assert.match(asked.text, /&lt;img src=x onerror=alert\(1\)&gt;/);
    assert.doesNotMatch(asked.text, /<img/);
    assert.match(asked.headers['content-security-policy'] ?? '', /^default-src 'none';/);
    assert.equal(asked.headers['referrer-policy'], 'no-referrer');

    showsAfterwards(t, made, [
      incident({ state: 'acknowledged', acknowledgedBy: 'Anna Ö', acknowledgedAt: noon }),
      page('p1.default', { state: 'acked' }),
    ]);
    const done = await says(made, { name: ' Anna  Ö\u202e\n', page: 'p1.default' }).expect(200);
    assert.match(done.text, /<h1>Anna Ö, you have it<\/h1><p>Taken by Anna Ö since 12:00 UTC \(just now\)\.<\/p>/);
    assert.deepEqual(await made.acks(), [
      { type: 'Acked', scope: 'default', incident: 'i1.default', page: 'p1.default', by: 'Anna Ö', via: 'link to ops-mail', at: noon },
    ]);
  });

  for (const [what, fields] of [
    ['nobody', {}],
    ['blanks', { name: ' \u202e ' }],
    ['a name in a foreign field', { user: 'Anna' }],
  ] as const) {
    test(`${what} is not taken for a person: asked again, and nothing is done`, async (t) => {
      const made = await serving(t);
      await showing(made.store, [incident({ state: 'open' }), page('p1.default', { state: 'ringing' })]);
      const answer = await says(made, fields).expect(400);
      assert.match(answer.text, /Please say who you are/);
      assert.match(answer.text, /<form method="post">/);
      assert.deepEqual(await made.acks(), []);
    });
  }

  for (const name of ['quench', ' Quench '])
    test(`B18: nobody takes it in the name of the gateway: ${name}`, async (t) => {
      const made = await serving(t);
      await showing(made.store, [incident({ state: 'open' }), page('p1.default', { state: 'ringing' })]);
      const answer = await says(made, { name }).expect(400);
      assert.match(answer.text, /expected a name of your own, .* by which the gateway signs what it does itself: write yours/);
      assert.deepEqual(await made.acks(), []);
    });

  test('the name is remembered for the next link, as text', async (t) => {
    const made = await serving(t);
    const given = await says(made, { name: '"><b>Anna' });
    const [cookie = ''] = (given.headers['set-cookie'] as unknown as string[]) ?? [];
    assert.match(cookie, /; HttpOnly; SameSite=Lax$/);
    const next = await made.to.get(`/ack/${token}`).set('cookie', `other=1; ${cookie.split(';')[0]}`);
    assert.match(next.text, /value="&quot;&gt;&lt;b&gt;Anna"/);
    await made.to.get(`/ack/${token}`).set('cookie', 'quench_name=%E0%A4').expect(200);
  });
});

describe('B6: the link says what is', () => {
  test('of a resolved incident: over since when and by whom, no button, and nothing is done', async (t) => {
    const made = await serving(t);
    await showing(made.store, [
      incident({ state: 'resolved', resolvedBy: 'human', resolvedWho: 'ben', resolvedAt: noon - 240_000 }),
      page('p1.default', { state: 'closed' }),
    ]);
    const looked = await made.to.get(`/ack/${token}`).expect(200);
    const acted = await says(made).expect(409);
    for (const { text } of [looked, acted]) {
      assert.match(text, /<h1>It is over<\/h1><p>Over since 11:56 UTC \(4m\), resolved by ben\.<\/p>/);
      assert.doesNotMatch(text, /<form/);
    }
    assert.deepEqual(await made.acks(), []);
  });

  test('used by a second person: who has it since when; it is taken over only by the button that says so', async (t) => {
    const made = await serving(t);
    const taken = [
      incident({ state: 'acknowledged', acknowledgedBy: 'anna', acknowledgedAt: noon - 60_000 }),
      page('p1.default', { state: 'acked' }),
    ];
    await showing(made.store, taken);
    const second = await says(made, { name: 'ben' }).expect(409);
    assert.match(second.text, /<h1>anna has it<\/h1><p>Taken by anna since 11:59 UTC \(1m\)\.<\/p>/);
    assert.doesNotMatch(second.text, /you have it/);
    assert.match(second.text, /name="over" value="yes"/);
    assert.deepEqual(await made.acks(), []);

    showsAfterwards(t, made, [incident({ state: 'acknowledged', acknowledgedBy: 'ben', acknowledgedAt: noon })]);
    const over = await says(made, { name: 'ben', page: 'p1.default', over: 'yes' }).expect(200);
    assert.match(over.text, /ben, you have it/);
    assert.partialDeepStrictEqual((await made.acks())[0], { by: 'ben', over: true, page: 'p1.default' });
  });

  test('used again by the same person: it is theirs already, and nothing is done twice', async (t) => {
    const made = await serving(t);
    await showing(made.store, [
      incident({ state: 'acknowledged', acknowledgedBy: 'Anna', acknowledgedAt: noon - 60_000 }),
      page('p1.default', { state: 'acked' }),
    ]);
    assert.match((await says(made).expect(200)).text, /Anna, you have it<\/h1><p>Taken by Anna since 11:59 UTC \(1m\)/);
    assert.deepEqual(await made.acks(), []);
  });

  test('of a former page after it fired again: ringing again; it is taken by the page that was shown, not by the old one', async (t) => {
    const made = await serving(t);
    await showing(made.store, [
      incident({ state: 'open' }),
      page('p1.default', { state: 'closed' }, noon - 600_000),
      page('p9.default', { state: 'ringing' }, noon - 120_000),
    ]);
    for (const fields of [{ name: 'Anna' }, { name: 'Anna', page: 'p1.default' }, { name: 'Anna', page: 'p7.default' }]) {
      const stale = await says(made, fields).expect(409);
      assert.match(
        stale.text,
        /<h1>Ringing again: take it\?<\/h1><p>The page of this link is over; it rings again since 11:58 UTC \(2m\)\.<\/p>/,
      );
      assert.match(stale.text, /name="page" value="p9\.default"/);
    }
    assert.deepEqual(await made.acks(), []);

    showsAfterwards(t, made, [
      incident({ state: 'acknowledged', acknowledgedBy: 'Anna', acknowledgedAt: noon }),
      page('p9.default', { state: 'acked' }),
    ]);
    await says(made, { name: 'Anna', page: 'p9.default' }).expect(200);
    assert.partialDeepStrictEqual((await made.acks())[0], { page: 'p9.default', by: 'Anna' });
  });

  test('of a page that rings again because its acknowledgement ran out: who had it, and it can be taken', async (t) => {
    const made = await serving(t);
    await showing(made.store, [
      incident({ state: 'acknowledged', acknowledgedBy: 'ben', acknowledgedAt: noon - 3_600_000 }),
      page('p1.default', { state: 'ringing', ackedBy: 'ben' }),
    ]);
    assert.match((await made.to.get(`/ack/${token}`).expect(200)).text, /ben had it; it rings again\./);
    await says(made).expect(202);
    assert.equal((await made.acks()).length, 1);
  });

  test('of two who press at once, the one who was second is told who has it', async (t) => {
    const made = await serving(t);
    await showing(made.store, [incident({ state: 'open' }), page('p1.default', { state: 'ringing' })]);
    showsAfterwards(t, made, [
      incident({ state: 'acknowledged', acknowledgedBy: 'ben', acknowledgedAt: noon }),
      page('p1.default', { state: 'acked' }),
    ]);
    const answer = await says(made, { name: 'Anna', page: 'p1.default' }).expect(409);
    assert.match(answer.text, /<h1>ben has it<\/h1>/);
  });

  test('that ended while the button was pressed: over', async (t) => {
    const made = await serving(t);
    await showing(made.store, [incident({ state: 'open' }), page('p1.default', { state: 'ringing' })]);
    showsAfterwards(t, made, [incident({ state: 'resolved', resolvedBy: 'source', resolvedWho: '', resolvedAt: noon })]);
    assert.match((await says(made).expect(409)).text, new RegExp(`Over since ${clockNoon} \\(just now\\), resolved by source\\.`));
  });

  test('while nobody knows what came of it: the word is kept, and nothing is claimed', async (t) => {
    const made = await serving(t);
    await showing(made.store, [incident({ state: 'open' }), page('p1.default', { state: 'ringing' })]);
    const answer = await says(made).expect(202);
    assert.match(answer.text, /Your word is taken in/);
    assert.doesNotMatch(answer.text, /you have it|yours/);
  });

  test('of an incident that is not shown (any more): that is said, and nothing is claimed', async (t) => {
    const made = await serving(t);
    assert.match((await made.to.get(`/ack/${token}`).expect(200)).text, /too new, or long over and forgotten/);
    assert.doesNotMatch((await says(made).expect(202)).text, /you have it/);
  });

  test('the link works while the read model does not', async (t) => {
    const made = await serving(t);
    t.mock.method(made.store.views, 'get', () => Promise.reject(new Error('away')));
    assert.match((await made.to.get(`/ack/${token}`).expect(200)).text, /cannot be shown now/);
    await says(made).expect(202);
    assert.partialDeepStrictEqual((await made.acks())[0], { by: 'Anna', page: 'p1.default' });
  });
});

test('B6: the API, too, says who has it instead of taking silently nothing', async (t) => {
  const made = await serving(t);
  const ack = (body: object): supertest.Test =>
    made.to.post('/api/v1/incidents/i1.default/ack').set('authorization', `Bearer ${tokens.operate}`).send(body);
  const taken = (by: string): PatchOf<'incident'>['set'] => ({
    state: 'acknowledged',
    acknowledgedBy: by,
    acknowledgedAt: noon - 60_000,
    sources: ['zabbix'],
  });
  await showing(made.store, [incident(taken('ben')), page('p1.default', { state: 'acked' })]);
  const refused = await ack({}).expect(409);
  assert.match(refused.body.detail, /^incident i1\.default is taken by ben since 11:59 UTC \(1m\): send over \(--over\) to take it over$/);
  assert.deepEqual(await made.acks(), []);

  await ack({ over: true }).expect(202);
  await showing(made.store, [incident(taken('olga'))]);
  await ack({}).expect(202); // her own
  await showing(made.store, [incident(taken('zabbix'))]);
  await ack({}).expect(202); // a source's word covers less
  await showing(made.store, [incident(taken('ben')), page('p1.default', { state: 'ringing' })]);
  await ack({}).expect(202); // it rings again
  assert.equal((await made.acks()).length, 4);
});

test('an expired link says so and does nothing', async (t) => {
  const made = await serving(t);
  made.setNow(claim.expiresAt);
  await made.to.get(`/ack/${token}`).expect(410);
  await says(made).expect(410);
  assert.deepEqual(await made.inputs(), []);
});

test('a form larger than any form is refused', async (t) => {
  const made = await serving(t);
  await says(made, { name: 'x'.repeat(20_000) }).expect(413);
  assert.deepEqual(await made.inputs(), []);
});

test('a tampered link is no link', async (t) => {
  const made = await serving(t);
  const [text = '', mac = ''] = token.split('.');
  const forged = Buffer.from(JSON.stringify(['default', 'i2.default', 'p1.default', 'ops-mail', claim.expiresAt])).toString('base64url');
  for (const bad of [
    `${forged}.${mac}`,
    `${text}.${mac.slice(0, -2)}`,
    text,
    `${text}.`,
    `.${mac}`,
    `${token}.x`,
    'x'.repeat(5_000),
    signLink('other', 'ack', claim),
    signLink('', 'ack', claim),
    signLink('new-ack-secret', 'incident', claim),
    signLink('new-ack-secret', 'answer', claim),
  ]) {
    assert.equal((await made.to.post(`/ack/${bad}`).type('form').send({ name: 'Anna' })).status, 404, bad.slice(0, 40));
  }
  assert.deepEqual(await made.inputs(), []);
});

test('K1: a token reads back as what was signed, with the old secret too while it is kept, for its kind alone, and not with any bit turned', () => {
  const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
  const members = { scope: texts, incident: texts, page: texts, to: texts, expiresAt: fc.nat(), run: texts, person: texts };
  const claims = fc.record(members, { noNullPrototype: true, requiredKeys: ['scope', 'incident', 'page', 'to', 'expiresAt'] });
  const kinds = fc.constantFrom<LinkKind>('ack', 'incident', 'answer');
  fc.assert(
    fc.property(claims, kinds, kinds, fc.nat(), fc.nat({ max: 5 }), (each, kind, other, at, bit) => {
      const made = signLink('old', kind, each);
      const now = each.expiresAt - 1;
      assert.deepEqual(readLink(['new', 'old'], kind, { token: made, now }), { ok: true, value: each });
      assert.deepEqual(readLink(['new', 'old'], kind, { token: made, now: each.expiresAt }), { ok: false, error: 'expired' });
      if (other !== kind) assert.deepEqual(readLink(['old'], other, { token: made, now }), { ok: false, error: 'invalid' });
      const where = at % made.length;
      const turned = made.slice(0, where) + String.fromCharCode(made.charCodeAt(where) ^ (1 << bit)) + made.slice(where + 1);
      // The last character of base64 carries spare bits; whatever decodes to the same bytes is the same token.
      const same = Buffer.from(turned.split('.')[1] ?? '', 'base64url').equals(Buffer.from(made.split('.')[1] ?? '', 'base64url'));
      if (!(same && turned.split('.')[0] === made.split('.')[0]))
        assert.deepEqual(readLink(['old'], kind, { token: turned, now: 0 }), { ok: false, error: 'invalid' });
    }),
  );
});

test('without a secret there are no links', () => {
  assert.deepEqual(readLink([], 'ack', { token, now: noon }), { ok: false, error: 'invalid' });
  assert.deepEqual(readLink([''], 'ack', { token: signLink('', 'ack', claim), now: noon }), { ok: false, error: 'invalid' });
});

describe('B18: a link that was sent to one person', () => {
  const personal = { ...claim, to: 'anna-mail', person: 'Anna Ö' };
  const path = `/ack/${signLink('new-ack-secret', 'ack', personal)}`;

  test('asks for no name, acts in theirs whatever a form says, and the audit tells it from a name that was given', async (t) => {
    const made = await serving(t);
    await showing(made.store, [incident({ state: 'open' }), page('p1.default', { state: 'ringing' })]);
    const asked = await made.to.get(path).set('cookie', 'quench_name=Ben').expect(200);
    assert.match(asked.text, /<button name="do" value="ack">Acknowledge as Anna Ö<\/button>/);
    assert.doesNotMatch(asked.text, /Your name|Ben/);
    assert.deepEqual(await made.inputs(), []);

    showsAfterwards(t, made, [
      incident({ state: 'acknowledged', acknowledgedBy: 'Anna Ö', acknowledgedAt: noon }),
      page('p1.default', { state: 'acked' }),
    ]);
    const done = await made.to.post(path).type('form').send({ name: 'Ben', page: 'p1.default' }).expect(200);
    assert.match(done.text, /<h1>Anna Ö, you have it<\/h1>/);
    assert.equal(done.headers['set-cookie'], undefined, 'whoever opened it is not remembered as that person');
    const [acked] = await made.acks();
    assert.partialDeepStrictEqual(acked, { by: 'Anna Ö', via: 'personal link to anna-mail', page: 'p1.default' });
  });

  test('is refused like any other once it is over or its time is, and nobody becomes another by changing it', async (t) => {
    const made = await serving(t);
    await showing(made.store, [incident({ state: 'resolved', resolvedBy: 'human', resolvedAt: noon })]);
    await made.to.post(path).type('form').send({}).expect(409);
    const [, mac = ''] = path.split('.');
    const members = ['default', 'i1.default', 'p1.default', 'anna-mail', claim.expiresAt, null, 'Ben'];
    const forged = `${Buffer.from(JSON.stringify(members)).toString('base64url')}.${mac}`;
    await made.to.post(`/ack/${forged}`).type('form').send({}).expect(404);
    made.setNow(claim.expiresAt);
    await made.to.post(path).type('form').send({}).expect(410);
    assert.deepEqual(await made.inputs(), []);
  });

  test('a link that was signed before persons stood in links reads as it was meant', () => {
    const members = ['default', 'i1.default', 'p1.default', 'ops-mail', claim.expiresAt];
    for (const [more, expected] of [
      [[], claim],
      [['r1.default'], { ...claim, run: 'r1.default' }],
    ] as const) {
      const text = Buffer.from(JSON.stringify([...members, ...more])).toString('base64url');
      const mac = createHmac('sha256', 'new-ack-secret').update(`quench-ack:${text}`).digest('base64url');
      assert.deepEqual(readLink(['new-ack-secret'], 'ack', { token: `${text}.${mac}`, now: noon }), { ok: true, value: expected });
    }
  });
});
