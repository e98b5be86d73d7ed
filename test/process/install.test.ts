// What somebody gets who never saw this repository: `npm pack`, the tarball installed into an empty prefix, and the installed command doing its main job.
// npm takes the modules from its cache, or from the registry that the machine is configured for; nothing else is reached.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { freePort } from './gateway.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packedBytesMax = 2.5 * 1_048_576;
const npmMs = 180_000;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

interface Manifest {
  readonly dependencies: object;
  readonly optionalDependencies?: object;
  readonly engines: { readonly node: string };
  readonly exports: object;
}

let place = '';
let packed: Packed;
let home = '';
before(() => {
  place = mkdtempSync(join(tmpdir(), 'quench-install-'));
  const [told] = JSON.parse(npm('pack', '--silent', '--json', '--pack-destination', place)) as readonly Packed[];
  assert.ok(told);
  packed = told;
  npm(
    'install',
    '--global',
    '--prefix',
    join(place, 'prefix'),
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    join(place, packed.filename),
  );
  home = join(place, 'prefix/lib/node_modules/quench');
});
after(() => rmSync(place, { recursive: true, force: true }));

function npm(...argv: readonly string[]): string {
  const done = spawnSync('npm', argv, { cwd: root, encoding: 'utf8', timeout: npmMs, maxBuffer: 16 * 1_048_576 });
  assert.equal(done.status, 0, `npm ${argv.join(' ')}: ${done.error?.message ?? ''}${done.stderr}${done.stdout}`);
  return done.stdout;
}

const quenchFile = (): string => join(place, 'prefix/bin/quench');
/** No repository, no node_modules/.bin: the Node that runs this test, and the system. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter), HOME: place });

function quench(...argv: readonly string[]): { readonly exit: number | null; readonly out: string; readonly err: string } {
  const done = spawnSync(quenchFile(), argv, { cwd: place, env: environment(), encoding: 'utf8', timeout: 60_000 });
  return { exit: done.status, out: done.stdout, err: done.stderr };
}

function filesBelow(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('the tarball', () => {
  it('is small, and holds what runs: no tests, no fixtures, no sources, no Node', () => {
    const paths = packed.files.map(({ path }) => path);
    assert.ok(packed.size <= packedBytesMax, `${packed.size} bytes`);
    assert.deepEqual(
      paths.filter((path) => /(?:^|\/)(?:test|tests|fixtures|bench|demo|src|node_modules)\//.test(path.replace(/^dist\/src\//, 'dist/'))),
      [],
    );
    assert.deepEqual(
      paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')),
      [],
    );
    for (const path of [
      'bin/quench.js',
      'quench.yaml',
      'docs/api.md',
      'docs/install.md',
      'docs/playbooks.md',
      'packaging/quench.service',
      'README.md',
      'CHANGELOG.md',
    ])
      assert.ok(paths.includes(path), path);
    for (const [vendor, file] of [
      ['nagios', 'notify-quench.sh'],
      ['zabbix', 'media_type_quench.yaml'],
      ['prometheus', 'alertmanager.yml'],
      ['newrelic', 'workflow-payload.txt'],
    ]) {
      assert.ok(paths.includes(`adapters/${vendor}/setup/${file}`), vendor);
      assert.ok(paths.includes(`adapters/${vendor}/README.md`), vendor);
    }
  });

  it('has types and source maps beside every file of its code, and none of them names a source at run time', () => {
    const scripts = filesBelow(join(home, 'dist')).filter((path) => path.endsWith('.js'));
    assert.ok(scripts.length > 100);
    for (const path of scripts) {
      assert.ok(existsSync(`${path}.map`), path);
      assert.ok(existsSync(path.replace(/\.js$/, '.d.ts')), path);
      assert.doesNotMatch(readFileSync(path, 'utf8'), /['"`]\.{1,2}\/[^'"`\n]*\.ts['"`]/, path);
    }
  });

  it('asks for its modules only: no Node of a third party, and the oldest Node that it names is the one that it refuses below', () => {
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest;
    assert.equal(manifest.optionalDependencies, undefined);
    assert.deepEqual(
      Object.keys(manifest.dependencies).filter((name) => /^node-linux|quench/.test(name)),
      [],
    );
    assert.deepEqual(
      readdirSync(join(home, 'node_modules')).filter((name) => /^node(?:-linux.*)?$|^quench/.test(name)),
      [],
    );
    const oldest = /const oldest = (\d+);/.exec(readFileSync(join(home, 'bin/quench.js'), 'utf8'))?.[1];
    assert.equal(manifest.engines.node, `>=${oldest}`);
  });

  it('lets nobody import its inside by accident', async () => {
    const user = join(home, '../user.mjs');
    writeFileSync(user, 'export const load = (name) => import(name);\n');
    const { load } = (await import(pathToFileURL(user).href)) as { readonly load: (name: string) => Promise<unknown> };
    for (const name of ['quench', 'quench/dist/src/main.js', 'quench/bin/quench.js'])
      await assert.rejects(load(name), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }, name);
  });
});

describe('a Node that is too old', () => {
  const refused = /^quench: expected Node 24 or newer, seen (\d+\.\d+\.\d+): install a newer Node, or put it first on PATH\n$/;

  it('is refused in one sentence, with exit code 1', () => {
    const pretend = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})';
    const done = spawnSync(process.execPath, ['--import', pretend, join(home, 'bin/quench.js'), 'serve'], { encoding: 'utf8' });
    assert.deepEqual([done.status, done.stdout], [1, '']);
    assert.equal(refused.exec(done.stderr)?.[1], '20.20.2', done.stderr);
  });

  it('can read the file that refuses it', (context) => {
    const old = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((dir) => join(dir, 'node'))
      .filter((path) => existsSync(path))
      .find((path) => Number(/^v(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[1]) < 24);
    if (old === undefined) return context.skip('no Node older than 24 on PATH');
    const done = spawnSync(old, [quenchFile(), 'serve'], { encoding: 'utf8' });
    assert.deepEqual([done.status, done.stdout], [1, '']);
    assert.match(done.stderr, refused);
  });
});

describe('the installed command', { timeout: 120_000 }, () => {
  let gateway: ChildProcess | null = null;
  let said = '';
  let url = '';
  after(async () => {
    if (gateway !== null && gateway.exitCode === null && gateway.kill('SIGKILL')) await once(gateway, 'exit');
  });

  async function until<T>(look: () => Promise<T | null> | T | null, what: string): Promise<T> {
    const end = performance.now() + 30_000;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > end) assert.fail(`${what} not within 30 s: ${said}`);
      await sleep(50);
    }
  }

  it('writes a directory to serve from, which it finds nothing wrong with', () => {
    const made = quench('init', 'house');
    assert.equal(made.exit, 0, made.err);
    assert.equal(statSync(join(place, 'house/data/admin.token')).mode & 0o777, 0o600);
    assert.ok(made.err.includes(join(home, 'adapters')), 'it says where the files to paste are');
    const checked = quench('check', '--config', 'house');
    assert.deepEqual([checked.exit, checked.out], [0, ''], checked.err);
    const tested = quench('playbook', 'test', '--config', 'house');
    assert.equal(tested.exit, 0, `${tested.out}${tested.err}`);
  });

  it('serves from it: an alert that is posted becomes an incident that it lists', async () => {
    const port = await freePort();
    const file = join(place, 'house/quench.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('port: 8686', `port: ${port}`));
    url = `http://127.0.0.1:${port}`;
    const child = spawn(quenchFile(), ['serve', '--config', 'house'], {
      cwd: place,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    gateway = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(async () => ((await fetch(`${url}/readyz`).catch(() => null))?.ok === true ? true : null), 'ready');
    assert.match(said, /next: \S+\/adapters\/<vendor>\/README\.md/, 'the files of the package, not of a repository');
    assert.doesNotMatch(said, /npm run/);
    assert.match(said, /quench incident list --config \S*house/, 'and a command that finds this gateway from here');

    const token = readFileSync(join(place, 'house/data/ingest.token'), 'utf8').trim();
    const alert = { labels: { alertname: 'DiskFull', instance: 'db1:9100', severity: 'critical' }, annotations: { summary: 'disk full' } };
    const answer = await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify([alert]),
    });
    assert.ok(answer.ok, String(answer.status));
    const listed = await until(() => {
      const { exit, out } = quench('incident', 'list', '--config', 'house', '--url', url, '-o', 'json');
      assert.equal(exit, 0);
      const { items } = JSON.parse(out) as { readonly items: readonly { readonly title: string; readonly state: string }[] };
      return items.length > 0 ? items : null;
    }, 'an incident');
    assert.equal(listed.length, 1);
    assert.match(listed[0]?.title ?? '', /DiskFull|disk full/);
  });

  it('backs its store up while it serves, reloads, and stops in order', async () => {
    const backup = quench('backup', 'copy.db', '--config', 'house');
    assert.equal(backup.exit, 0, backup.err);
    assert.ok(existsSync(join(place, 'copy.db')));
    gateway?.kill('SIGHUP');
    await until(() => (/ info reloaded: /.test(said) ? true : null), 'reloaded');
    gateway?.kill('SIGTERM');
    const [exit] = (await once(gateway ?? assert.fail(), 'exit')) as [number | null];
    assert.equal(exit, 0, said);
    mkdirSync(join(place, 'again'));
    const restored = quench('restore', 'copy.db', '--to', 'again');
    assert.equal(restored.exit, 0, restored.err);
  });
});
