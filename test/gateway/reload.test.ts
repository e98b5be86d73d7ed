// What a running gateway takes over from changed files: rules, notifiers, tokens, what endpoints ask; and what a bad file does not do.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { diskFiles } from '../../src/config/files.ts';
import { notedFiles, watchFiles } from '../../src/gateway/watch-files.ts';
import type { ReloadAnswer } from '../../src/readmodel/answers.ts';
import { handClock } from '../support/wallclock.ts';
import { deliver, folder, house, open, ready, until, type Running } from './house.ts';

const guarded = house
  .replace('allowUnauthenticated: true', 'auth: { bearer: { file: ingest.token } }')
  .replace('listen: ', 'api: { tokens: { ops: { role: admin, secret: { file: admin.token } } } }\nlisten: ');
const tokensOf = (era: string): { readonly [name: string]: string } => ({
  'ingest.token': `ingest-token-of-${era}\n`,
  'admin.token': `admin-token-of-the-${era}\n`,
});

async function asked(url: string, path: string, token: string, method = 'POST'): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
    ...(method === 'POST' ? { body: '{}' } : {}),
  });
  return { status: answer.status, body: await answer.json() };
}

const reloaded = async ({ gateway }: Running): Promise<ReloadAnswer> => gateway.reload();

describe('B23: a reload', () => {
  it('lets changed tokens count at once, old ones no longer, at the API and at a webhook', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': guarded, ...tokensOf('yesterday') });
    const running = await open(t, place);
    const { url } = running;
    assert.equal((await asked(url, '/api/v1/summary', 'admin-token-of-the-yesterday', 'GET')).status, 200);
    for (const [name, text] of Object.entries(tokensOf('today'))) place.write(name, text);
    const { status, body } = await asked(url, '/api/v1/reload', 'admin-token-of-the-yesterday');
    assert.equal(status, 200);
    assert.deepEqual((body as ReloadAnswer).changed, ['api.tokens', 'endpoints.auth']);
    assert.equal((await asked(url, '/api/v1/summary', 'admin-token-of-the-yesterday', 'GET')).status, 401);
    assert.equal((await asked(url, '/api/v1/summary', 'admin-token-of-the-today', 'GET')).status, 200);
    assert.equal((await asked(url, '/webhooks/am', 'ingest-token-of-yesterday')).status, 401);
    assert.notEqual((await asked(url, '/webhooks/am', 'ingest-token-of-today')).status, 401);
  });

  it('lets approvers be named and struck out without a restart', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': house });
    const running = await open(t, place);
    place.write('quench.yaml', `${house}approvals: { byLink: true }\n`);
    const answer = await reloaded(running);
    assert.deepEqual([answer.outcome, answer.changed], ['reloaded', ['approvals']]);
  });

  it('rings a notifier that was added, and no longer one that is gone', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': house });
    const running = await open(t, place);
    place.write('quench.yaml', house.replace('{ console: {', '{ other: {').replaceAll('notify: console', 'notify: other'));
    const answer = await reloaded(running);
    assert.equal(answer.outcome, 'reloaded');
    assert.deepEqual(answer.changed, ['policy', 'notifiers', 'failOpen.notify']);
    await until('the policy', () => running.gateway.service.policy()?.digest === answer.digest);
    await deliver(running.url, 'Rings');
    await until('the page', () => /Rings/.test(running.rang()));
  });

  it('a file that does not load changes nothing, tokens included, and is said in the answer, in readyz and in the metric', async (t) => {
    const place = folder(t, { 'quench.yaml': guarded, ...tokensOf('yesterday') });
    const running = await open(t, place);
    place.write('quench.yaml', `${guarded}settel: 3s\n`);
    for (const [name, text] of Object.entries(tokensOf('today'))) place.write(name, text);
    const { status, body } = await asked(running.url, '/api/v1/reload', 'admin-token-of-the-yesterday');
    assert.equal(status, 409);
    assert.equal((body as ReloadAnswer).outcome, 'does_not_load');
    assert.match((body as ReloadAnswer).problems[0] ?? '', /quench\.yaml:\d+:1: .*settel/);
    assert.equal((await asked(running.url, '/api/v1/summary', 'admin-token-of-the-yesterday', 'GET')).status, 200);
    const told = await ready(running.url);
    assert.equal(told.status, 200);
    assert.match(told.text, /the files on disk do not load \(1 problem\): what was in force stays in force/);
    place.write('quench.yaml', guarded);
    assert.equal((await reloaded(running)).outcome, 'reloaded');
    await until('readyz is well again', async () => !/do not load/.test((await ready(running.url)).text));
  });

  it('what only a restart changes is named, and nothing else is taken over beside it', async (t) => {
    const place = folder(t, { 'quench.yaml': guarded, ...tokensOf('yesterday') });
    const running = await open(t, place);
    place.write('quench.yaml', guarded.replace('port: 0', 'port: 0, publicUrl: https://quench.example'));
    for (const [name, text] of Object.entries(tokensOf('today'))) place.write(name, text);
    const answer = await reloaded(running);
    assert.deepEqual([answer.outcome, answer.restart], ['needs_restart', ['listen']]);
    assert.equal((await asked(running.url, '/api/v1/summary', 'admin-token-of-the-yesterday', 'GET')).status, 200);
  });

  it('mends an endpoint and a notifier that a start found broken', { timeout: 60_000 }, async (t) => {
    const place = folder(t, { 'quench.yaml': guarded.replace('{ type: console }', '{ type: console, nonsense: 1 }') });
    place.write('admin.token', 'admin-token-of-the-yesterday');
    const running = await open(t, place);
    assert.equal((await asked(running.url, '/webhooks/am', 'ingest-token-of-today')).status, 503);
    place.write('quench.yaml', guarded);
    place.write('ingest.token', 'ingest-token-of-today');
    assert.equal((await reloaded(running)).outcome, 'reloaded');
    assert.equal((await asked(running.url, '/webhooks/am', 'ingest-token-of-today')).status, 400, 'taken in, and not understood');
    await until('readyz is well', async () => !/does not load/.test((await ready(running.url)).text));
  });
});

describe('B23: watching files', () => {
  it('reloads once when files have come to rest, not while they are being written, and follows what the last reading read', async (t) => {
    const place = folder(t, { 'a.yaml': '1', 'b.yaml': '1' });
    const clock = handClock(0);
    const files = notedFiles(diskFiles);
    let reads = 0;
    const read = async (): Promise<void> => {
      files.begin();
      reads += 1;
      for (const name of files.list(place.dir)) if (name.endsWith('.yaml')) files.read(join(place.dir, name));
    };
    await read();
    const stop = watchFiles({ files, changed: read, clock });
    t.after(stop);
    const rested = (): Promise<void> => until('the next pause', () => clock.waiting() > 0);
    const look = async (): Promise<void> => {
      await rested();
      clock.ring();
      await rested();
    };
    await look();
    await look();
    assert.equal(reads, 1, 'nothing changed');
    place.write('a.yaml', '22');
    await look();
    place.write('a.yaml', '333');
    await look();
    assert.equal(reads, 1, 'still being written');
    await look();
    assert.equal(reads, 2);
    await look();
    await look();
    assert.equal(reads, 2, 'once for each change');
    place.write('c.yaml', '1');
    await look();
    await look();
    assert.equal(reads, 3, 'a new file shows in its folder');
    place.write('c.yaml', '22');
    await look();
    await look();
    assert.equal(reads, 4, 'what the last reading read is looked at');
    rmSync(join(place.dir, 'b.yaml'));
    await look();
    await look();
    assert.equal(reads, 5);
  });
});
