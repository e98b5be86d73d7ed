// Links in pages work without being configured: a gateway that is alone signs them with a secret of its own (src/config/quench/doors.ts).
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { problemLine, type ConfigProblem } from '../../src/config/yaml/problems.ts';
import { serve } from '../../src/gateway/serve.ts';
import { checkConfig } from '../../src/offline/load.ts';
import { deliver, folder, house, until, type Folder } from './house.ts';

interface Served {
  readonly url: string;
  reload(): Promise<{ readonly outcome: string; readonly changed: readonly string[] }>;
  /** Pages and welcome, and the log. */
  told(): { readonly stdout: string; readonly stderr: string };
  stop(): Promise<void>;
}

async function served(t: TestContext, { dir }: Folder): Promise<Served> {
  const told = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof told): PassThrough => {
    const made = new PassThrough();
    made.on('data', (chunk: Buffer) => (told[name] += chunk.toString()));
    return made;
  };
  const gateway = await serve(
    join(dir, 'quench.yaml'),
    { env: process.env, stdout: stream('stdout'), stderr: stream('stderr') },
    { intakeOnly: false },
  );
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopped ??= gateway.stop());
  t.after(stop);
  return { url: `http://127.0.0.1:${gateway.port}`, reload: () => gateway.reload(), told: () => told, stop };
}

/** The path of a link in the page of this alert. */
async function linkOf({ url, told }: Served, name: string, kind: string): Promise<string> {
  const before = told().stdout.length;
  await deliver(url, name);
  const found = (): string | undefined => new RegExp(`/${kind}/[\\w.-]+`).exec(told().stdout.slice(before))?.[0];
  await until(`the link of ${name}`, () => found() !== undefined);
  return found() ?? '';
}

const status = async ({ url }: Served, path: string): Promise<number> => (await fetch(`${url}${path}`)).status;

test(
  'A.6: a gateway that is alone makes a secret for links, its owner’s alone, and says so once; its links outlive a restart',
  { timeout: 90_000 },
  async (t) => {
    const place = folder(t, { 'quench.yaml': house });
    const secretFile = join(place.dir, 'data/ack.token');
    const first = await served(t, place);
    assert.equal(statSync(secretFile).mode & 0o777, 0o600);
    const secret = readFileSync(secretFile, 'utf8').trim();
    assert.ok(secret.length >= 32);
    assert.match(
      first.told().stderr,
      /"file":"[^"]*data\/ack\.token".*made a secret that signs the links in pages|made a secret that signs the links in pages.*data\/ack\.token/,
    );
    const ack = await linkOf(first, 'First', 'ack');
    assert.equal(await status(first, ack), 200);
    await first.stop();
    const second = await served(t, place);
    assert.equal(readFileSync(secretFile, 'utf8').trim(), secret);
    assert.equal(await status(second, ack), 200);
    const { stdout, stderr } = second.told();
    assert.doesNotMatch(stderr, /made a secret/);
    for (const text of [stdout, stderr, first.told().stdout, first.told().stderr]) assert.ok(!text.includes(secret), 'the secret is shown');
  },
);

test('A.6: deleting the secret takes links of before back, without a restart', { timeout: 90_000 }, async (t) => {
  const place = folder(t, { 'quench.yaml': `${house}reload: asked\ndelivery: { bundle: 0s }\n` });
  const gateway = await served(t, place);
  const before = await linkOf(gateway, 'Before', 'incident');
  assert.equal(await status(gateway, before), 200);
  rmSync(join(place.dir, 'data/ack.token'));
  assert.partialDeepStrictEqual(await gateway.reload(), { outcome: 'reloaded', changed: ['api.ackSecrets'] });
  assert.equal(await status(gateway, before), 404);
  assert.equal(await status(gateway, await linkOf(gateway, 'After', 'incident')), 200);
});

test('A.6: `ackSecrets: none` makes no secret and no links', { timeout: 90_000 }, async (t) => {
  const place = folder(t, { 'quench.yaml': `${house}api: { ackSecrets: none }\n` });
  const gateway = await served(t, place);
  assert.throws(() => statSync(join(place.dir, 'data/ack.token')), { code: 'ENOENT' });
  await deliver(gateway.url, 'Bare');
  await until('the page', () => /Bare/.test(gateway.told().stdout));
  assert.doesNotMatch(gateway.told().stdout, /\/(?:ack|incident)\//);
});

test('A.6: gateways that share a log need a secret that they share, and `check` says so; an address that leads nowhere, too', (t) => {
  const { dir } = folder(t, {});
  const warned = (text: string): string => {
    writeFileSync(join(dir, 'quench.yaml'), text);
    const warnings: ConfigProblem[] = [];
    const checked = checkConfig(dir, {}, (warning) => warnings.push(warning));
    assert.ok(checked.ok, checked.ok ? '' : checked.error.map(problemLine).join('\n'));
    if (!/ackSecrets: none|log:/.test(text)) assert.equal(checked.value.api.ackSecrets.length, 1);
    return warnings.map(problemLine).join('\n');
  };
  const shared = `${house}log: { type: kafka, brokers: [kafka:9092], replication: 1 }\n`;
  assert.match(
    warned(shared),
    /quench\.yaml:\d+:\d+: api: pages carry no links: gateways that share a log need one secret.*ackSecrets: none$/,
  );
  assert.equal(warned(`${shared}api: { ackSecrets: { file: ack.token } }\n`), '');
  assert.equal(warned(`${shared}api: { ackSecrets: none }\n`), '');
  assert.equal(warned(house), '');
  const everywhere = house
    .replace('host: 127.0.0.1', 'host: 0.0.0.0')
    .replace('allowUnauthenticated: true', 'auth: { bearer: { file: in.token } }');
  assert.match(warned(everywhere), /listen: links in pages begin with 0\.0\.0\.0, which leads nowhere: write publicUrl/);
  assert.equal(warned(everywhere.replace('port: 0', 'port: 0, publicUrl: "https://quench.example"')), '');
});
