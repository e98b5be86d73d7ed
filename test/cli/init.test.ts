// `quench init`: what it writes loads, tests and serves; what was there stays; the repository's own files are its one source.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { houseFiles, quench, scratch, write } from './support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8');
const modeOf = (...path: readonly string[]): string => (statSync(join(...path)).mode & 0o777).toString(8);

let place: ReturnType<typeof scratch>;
before(() => {
  place = scratch();
});
after(() => place.remove());

describe('quench init', () => {
  it('writes quench.yaml, a first playbook with its case, and tokens that only their owner reads', async () => {
    const dir = join(place.dir, 'fresh/house');
    const said = await quench(['init', dir]);
    assert.equal(said.exit, 0, said.err);
    assert.deepEqual(readdirSync(dir).sort(), ['data', 'playbooks', 'quench.yaml']);
    assert.deepEqual(readdirSync(join(dir, 'data')).sort(), ['ack.token', 'admin.token', 'ingest.token']);
    assert.equal(modeOf(dir, 'data'), '700');
    for (const name of ['ack', 'admin', 'ingest']) {
      assert.equal(modeOf(dir, 'data', `${name}.token`), '600');
      assert.match(text(dir, 'data', `${name}.token`), /^[\w-]{32}\n$/);
      assert.ok(!`${said.out}${said.err}`.includes(text(dir, 'data', `${name}.token`).trim()), 'a token is never printed');
    }
    assert.match(said.out, /^made {3}quench\.yaml$/m);
    assert.match(said.err, /next: quench check --config \S+house /);
  });

  it('what it writes passes `quench check`, and its case passes `playbook test`', async () => {
    const dir = join(place.dir, 'fresh/house');
    const checked = await quench(['check', '--config', dir]);
    assert.deepEqual([checked.exit, checked.out], [0, ''], checked.out);
    assert.match(checked.err, /fine, 4 endpoints, 1 notifiers, 1 ladders, 1 playbooks/);
    const tested = await quench(['playbook', 'test', '--config', dir]);
    assert.equal(tested.exit, 0, tested.out);
    assert.match(tested.err, /^[1-9]\d* cases, 0 failed/);
  });

  it('its source is what this repository serves from: the playbooks as they are, quench.yaml without the lines of the demo', () => {
    const dir = join(place.dir, 'fresh/house');
    for (const name of readdirSync(join(dir, 'playbooks'))) assert.equal(text(dir, 'playbooks', name), text(root, 'playbooks', name));
    const shipped = text(root, 'quench.yaml').split('\n');
    const written = text(dir, 'quench.yaml').split('\n');
    const left = shipped.filter((line) => !written.includes(line));
    assert.deepEqual(
      written,
      shipped.filter((line) => !left.includes(line)),
    );
    assert.ok(left.length > 0 && left.every((line) => line.endsWith('# demo')));
    assert.doesNotMatch(written.join('\n'), /demo|18080|node_modules/, 'nothing that an install does not have');
  });

  it('puts tokens and store where --data says, and the file says so', async () => {
    const dir = join(place.dir, 'split');
    const data = join(place.dir, 'var/lib/quench');
    const said = await quench(['init', dir, '--data', data]);
    assert.equal(said.exit, 0, said.err);
    assert.deepEqual(readdirSync(dir).sort(), ['playbooks', 'quench.yaml']);
    assert.equal(modeOf(data, 'admin.token'), '600');
    assert.doesNotMatch(text(dir, 'quench.yaml'), /(?:\.\/| )data\b(?!:)/);
    assert.match(said.err, /QUENCH_TOKEN_FILE=\S+admin\.token quench incident list/);
    assert.equal((await quench(['check', '--config', dir])).exit, 0);
  });

  it('changes nothing that is there, names it, and makes the rest', async () => {
    const dir = join(place.dir, 'mine');
    const house = { ...houseFiles() };
    write(dir, {
      'quench.yaml': house['quench.yaml'] ?? '',
      'playbooks/ask.yaml': house['playbooks/ask.yaml'] ?? '',
      'data/admin.token': 'mine\n',
    });
    const said = await quench(['init', dir]);
    assert.equal(said.exit, 0, said.err);
    assert.match(said.out, /^there {2}quench\.yaml {3}left as it is$/m);
    assert.match(said.out, /^there {2}playbooks {3}left as it is$/m);
    assert.match(said.out, /^made {3}data\/ingest\.token$/m);
    assert.equal(text(dir, 'quench.yaml'), house['quench.yaml']);
    assert.equal(text(dir, 'data/admin.token'), 'mine\n');
    assert.deepEqual(readdirSync(join(dir, 'playbooks')), ['ask.yaml']);
    const again = await quench(['init', dir, '-q']);
    assert.deepEqual([again.exit, again.out], [0, ''], 'a second time there is nothing to make');
  });

  it('a link that leads nowhere is kept like what is there, and what it should lead to is not made', async () => {
    for (const name of ['quench.yaml', 'playbooks']) {
      const dir = join(place.dir, `links/${name}`);
      mkdirSync(dir, { recursive: true });
      symlinkSync(join(place.dir, 'nowhere'), join(dir, name));
      const said = await quench(['init', dir]);
      assert.deepEqual([said.exit, /seen none: ENOENT/.test(said.out)], [1, true], `${name}: ${said.out}${said.err}`);
      assert.equal(existsSync(join(place.dir, 'nowhere')), false);
    }
  });

  it('a quench.yaml that was there and does not load is exit code 1 with its problems, by line', async () => {
    const dir = join(place.dir, 'broken');
    write(dir, { 'quench.yaml': 'listen: 7\n' });
    const said = await quench(['init', dir]);
    assert.equal(said.exit, 1);
    assert.match(said.out, /quench\.yaml:1:9: listen: expected/);
    assert.equal(text(dir, 'quench.yaml'), 'listen: 7\n');
  });

  it('a data directory that YAML would have to quote is refused before anything is written', async () => {
    const dir = join(place.dir, 'odd');
    const said = await quench(['init', dir, '--data', join(place.dir, 'a: b')]);
    assert.equal(said.exit, 1);
    assert.match(said.err, /expected a data directory of letters, digits/);
    assert.ok(!existsSync(dir));
  });
});
