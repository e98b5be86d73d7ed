// The program itself, as a process: pipes, signals, exit codes.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { houseFiles, scratch, write } from './support.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let place: ReturnType<typeof scratch>;
before(() => {
  place = scratch();
  write(place.dir, houseFiles());
});
after(() => place.remove());

/** Says every file that is loaded. */
const loads = `import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => { process.stderr.write('loads ' + url + '\\n'); return next(url, context); } });
`;

function start(argv: readonly string[], env: { readonly [name: string]: string } = {}): ChildProcess {
  return spawn(process.execPath, [program, ...argv], {
    cwd: place.dir,
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function endOf(child: ChildProcess): Promise<{ readonly exit: number | null; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, out, err };
}

/** Resolves when the stream has said it. */
async function heard(child: ChildProcess, stream: 'stdout' | 'stderr', text: string): Promise<void> {
  let said = '';
  for await (const chunk of child[stream] ?? []) {
    said += String(chunk);
    if (said.includes(text)) return;
  }
  assert.fail(`${text} was not said, but ${said}`);
}

describe('the program', () => {
  it('loads no package to ask a gateway, and what reads YAML only where the configuration says something of the address', async () => {
    write(place.dir, { 'loads.mjs': loads });
    const loaded = async (argv: readonly string[], cwd: string): Promise<ReadonlySet<string>> => {
      const child = spawn(process.execPath, ['--import', join(place.dir, 'loads.mjs'), program, ...argv], {
        cwd,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const { err } = await endOf(child);
      const packages = err.matchAll(/^loads .*node_modules\/(.+)$/gm).map(([, path = '']) => path.split('/')[0] ?? '');
      return new Set(packages);
    };
    const elsewhere = join(place.dir, 'elsewhere');
    mkdirSync(elsewhere, { recursive: true });
    for (const argv of [['version'], ['help'], ['incident', 'list', '--url', 'http://127.0.0.1:1']]) {
      assert.deepEqual([...(await loaded(argv, place.dir))], [], argv.join(' '));
    }
    assert.deepEqual([...(await loaded(['incident', 'list'], elsewhere))], []);
    assert.deepEqual([...(await loaded(['incident', 'list'], place.dir))], ['yaml']);
  });

  it('gives its exit code and keeps data and words apart', async () => {
    const { exit, out, err } = await endOf(start(['incidant']));
    assert.deepEqual([exit, out], [2, '']);
    assert.match(err, /did you mean "incident"/);
  });

  it('serves until it is told to stop, and two signals of one Ctrl-C are one: it stops in order', async () => {
    const child = start(['serve']);
    await heard(child, 'stdout', 'listens on');
    const ended = endOf(child);
    child.kill('SIGINT');
    child.kill('SIGTERM'); // two of one kind would be one already
    assert.equal((await ended).exit, 0);
  });

  it('a first start makes the token that is missing and names its file; what is no terminal never hears it', async () => {
    const house = houseFiles()['quench.yaml'] ?? '';
    write(place.dir, { 'fresh.yaml': `data: { dir: fresh }\n${house.replace('data/admin.token', 'fresh/admin.token')}` });
    const child = start(['serve', '--config', 'fresh.yaml']);
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    const { exit, out } = await endOf(child);
    assert.equal(exit, 0);
    assert.match(out, /^new token in fresh\/admin\.token$/m);
    const token = readFileSync(join(place.dir, 'fresh/admin.token'), 'utf8').trim();
    assert.match(token, /^[\w-]{32}$/);
    assert.ok(!out.includes(token));
  });

  it('a configuration that does not load is exit code 1 with every problem', async () => {
    const cases = [
      ['listen: 7\n', /^quench: invalid_config: [^]*broken\.yaml:1:9: listen: expected/],
      ['nothing\n', /^broken\.yaml:1:1: expected a mapping/m],
    ] as const;
    for (const [text, says] of cases) {
      write(place.dir, { 'broken.yaml': text });
      const { exit, err } = await endOf(start(['serve', '--config', join(place.dir, 'broken.yaml')]));
      assert.equal(exit, 1);
      assert.match(err, says);
    }
  });

  it('B22: a secret of a notifier that is missing is never made, is told, and does not keep the gateway from starting', async () => {
    const house = houseFiles()['quench.yaml'] ?? '';
    write(place.dir, { 'broken.yaml': house.replace('type: console', 'type: slack, url: { file: data/slack.token }') });
    const child = start(['serve', '--config', join(place.dir, 'broken.yaml')]);
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    const { exit, err } = await endOf(child);
    assert.equal(exit, 0);
    assert.match(err, /expected a secret in the file/);
    assert.equal(existsSync(join(place.dir, 'data/slack.token')), false);
  });

  describe('against a gateway that answers slowly, or much', () => {
    let server: Server;
    let url = '';
    before(async () => {
      const items = Array.from({ length: 20_000 }, (_, number) => ({ id: `i${number}.default`, title: 'x'.repeat(100) }));
      server = createServer((req, res) => {
        if (req.url?.startsWith('/api/v1/incidents')) res.end(JSON.stringify({ items, next: null }));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    it('Ctrl-C is exit code 130', async () => {
      const child = start(['status'], { QUENCH_URL: url });
      const ended = endOf(child);
      await once(server, 'request');
      child.kill('SIGINT');
      assert.equal((await ended).exit, 130);
    });

    it('writes all of a long answer before it ends', async () => {
      const { exit, out } = await endOf(start(['incident', 'list', '-q'], { QUENCH_URL: url }));
      assert.equal(exit, 0);
      assert.equal(out.split('\n').length, 20_001);
    });

    it('a reader that has seen enough is no failure', async () => {
      const child = start(['incident', 'list', '-o', 'json'], { QUENCH_URL: url });
      child.stdout?.once('data', () => child.stdout?.destroy());
      const [exit] = (await once(child, 'exit')) as [number | null];
      assert.equal(exit, 0);
    });
  });
});
