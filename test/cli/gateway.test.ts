// Commands against a real gateway: store, engine, executor and HTTP on an ephemeral port.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { acting, eventually, openHouse, quench, write, type House, type Said } from './support.ts';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.stop());

const fire = (name: string, host: string, ...more: readonly string[]): Promise<Said> =>
  house.ask(['send', '--name', name, '--host', host, '--severity', 'critical', ...more]);

/** Id of the newest incident whose title holds the text, once it is there. */
async function incidentOf(text: string): Promise<string> {
  const said = await eventually(
    () => house.ask(['incident', 'list', '-q', '--text', text]),
    ({ out }) => out !== '',
  );
  return said.out.split('\n')[0] ?? '';
}

async function runOf(incident: string): Promise<string> {
  const said = await eventually(
    () => house.ask(['run', 'list', '-q', '--state', 'waiting', '--text', incident]),
    ({ out }) => out !== '',
  );
  return said.out.trim();
}

describe('alerts and incidents', () => {
  it('an alert of your own shows as an incident, in a table, as JSON, and as an id', async () => {
    const sent = await fire('DiskFull', 'db1', '--summary', 'disk full on db1', '--label', 'team=storage');
    assert.equal(sent.exit, 0);
    assert.equal(sent.out, '');
    assert.match(sent.err, /^accepted: firing/);

    const id = await incidentOf('disk full on db1');
    const table = await house.ask(['incident', 'list', '--text', 'disk full on db1']);
    const [head = '', row = '', ...rest] = table.out.trimEnd().split('\n');
    assert.match(head, /^ID +STATE +SEVERITY +SCORE +ALERTS +OPENED +RESULT +TITLE$/);
    assert.match(row, new RegExp(`^${id} +open +critical +0\\.\\d\\d +1 +\\d+s ago +\\S.* +disk full on db1$`));
    assert.deepEqual(rest, []);
    const bare = await house.ask(['incident', 'list', '--no-header', '--text', 'disk full on db1']);
    assert.ok(bare.out.startsWith(id));

    const json = JSON.parse((await house.ask(['incident', 'list', '-o', 'json', '--text', 'disk full on db1'])).out) as {
      items: { id: string; state: string }[];
    };
    assert.deepEqual(
      json.items.map((item) => [item.id, item.state]),
      [[id, 'open']],
    );
    const names = await house.ask(['incident', 'list', '-o', 'name', '--text', 'disk full on db1']);
    assert.equal(names.out, `${id}\n`);

    const alerts = await house.ask(['alert', 'list', '--text', 'disk full on db1']);
    assert.match(alerts.out, /firing +critical +DiskFull +db1 +1 /);
    const alert = (await house.ask(['alert', 'list', '-q', '--text', 'disk full on db1'])).out.trim();
    const shown = await house.ask(['alert', 'show', alert]);
    assert.match(shown.out, /^label +team=storage$/m);
    assert.match(shown.out, new RegExp(`^incident +${id}$`, 'm'));
    const raw = await house.ask(['alert', 'show', alert, '--raw']);
    assert.match(raw.out, /"team":"storage"/);
  });

  it('lists are filtered by flags, incidents that are not resolved come first, the worst on top', async () => {
    await fire('Filtered', 'filter2', '--label', 'team=sieve');
    const bad = await incidentOf('filter2');
    await house.ask(['send', '--name', 'Filtered', '--host', 'filter1', '--severity', 'warning', '--label', 'team=sieve']);
    await incidentOf('filter1');
    const names = async (...argv: readonly string[]): Promise<readonly string[]> =>
      (await house.ask([...argv, '--no-header'])).out
        .trimEnd()
        .split('\n')
        .map((line) => /filter\d/.exec(line)?.[0] ?? line);
    assert.deepEqual(await names('alert', 'list', '--match', 'team=sieve'), ['filter1', 'filter2']);
    assert.deepEqual(await names('alert', 'list', '--match', 'team=sieve', '--severity', 'critical'), ['filter2']);
    assert.deepEqual(await names('alert', 'list', '--incident', bad), ['filter2']);
    assert.deepEqual(await names('alert', 'list', '--host', 'filter1', '--since', '1h'), ['filter1']);
    assert.deepEqual(await names('alert', 'list', '--host', 'filter1', '--until', '1h'), ['']);
    assert.deepEqual(await names('incident', 'list', '--name', 'Filtered'), ['filter2', 'filter1']);
    assert.deepEqual(await names('incident', 'list', '--name', 'Filtered', '--sort', 'newest'), ['filter1', 'filter2']);
    await house.ask(['incident', 'resolve', bad]);
    await eventually(
      () => house.ask(['incident', 'list', '-q', '--host', 'filter2']),
      ({ out }) => out === '',
    );
    assert.equal((await house.ask(['incident', 'list', '-q', '--host', 'filter2', '--state', 'resolved'])).out, `${bad}\n`);
    const wrong = await house.ask(['incident', 'list', '--state', 'opn']);
    assert.deepEqual([wrong.exit, wrong.err], [2, 'quench: --state: expected open, acknowledged or resolved, seen opn\n']);
    for (const [noun, known] of [
      ['alert', 'firing or cleared'],
      ['run', ''],
      ['silence', 'active or expired'],
    ] as const) {
      const { exit, out, err } = await house.ask([noun, 'list', '--state', 'fireing']);
      assert.deepEqual(
        [exit, out, /^quench: --state: expected .*, seen fireing\n$/.test(err) && err.includes(known)],
        [2, '', true],
        `E5: ${err}`,
      );
    }
    for (const flag of ['--severity', '--sort']) {
      const { exit, out, err } = await house.ask(['alert', 'list', flag, 'bogus']);
      assert.deepEqual([exit, out, err.startsWith(`quench: ${flag}`)], [2, '', true], `E5: ${err}`);
    }
    const matcher = await house.ask(['alert', 'list', '--match', 'host']);
    assert.deepEqual([matcher.exit, /^quench: --match: expected a matcher like .*, seen "host"\n$/.test(matcher.err)], [2, true]);
    const pattern = await house.ask(['alert', 'list', '--match', 'host=~[']);
    assert.deepEqual([pattern.exit, /^quench: --match: .*missing closing/.test(pattern.err)], [2, true]);
  });

  it('nothing to list is no table, a word on stderr, and no failure', async () => {
    const said = await house.ask(['incident', 'list', '--text', 'nobody ever wrote this']);
    assert.deepEqual([said.exit, said.out, said.err], [0, '', 'none\n']);
  });

  it('a limit smaller than what is there says that there is more, and goes over pages', async () => {
    await Promise.all(['a1', 'a2', 'a3'].map((host) => fire('Paged', host, '--summary', `paging ${host}`)));
    await eventually(
      () => house.ask(['incident', 'list', '-q', '--text', 'paging a']),
      ({ out }) => out.trim().split('\n').length === 3,
    );
    const said = await house.ask(['incident', 'list', '-q', '--text', 'paging a', '--limit', '2']);
    assert.equal(said.out.trim().split('\n').length, 2);
    assert.match(said.err, /the first 2; more with --limit/);
  });

  it('ids from a list are acknowledged through a pipe, and shown with who has it', async () => {
    await fire('Piped', 'pipe1', '--summary', 'piped one');
    await fire('Piped', 'pipe2', '--summary', 'piped two');
    await incidentOf('piped one');
    const second = await incidentOf('piped two');
    const listed = await house.ask(['incident', 'list', '--state', 'open', '--text', 'piped', '-q']);

    const acked = await house.ask(['incident', 'ack', '-'], { stdin: listed.out });

    assert.equal(acked.exit, 0);
    assert.equal(acked.err.match(/^acknowledged i\d+\.default$/gm)?.length, 2);
    const shown = await eventually(
      () => house.ask(['incident', 'show', second]),
      ({ out }) => /^state +acknowledged by admin$/m.test(out),
    );
    assert.match(shown.out, /\+\d+s {2}acknowledged by admin \(api\)/);
  });

  it('an incident that does not exist does not keep the others from being acknowledged, and is the exit code', async () => {
    await fire('Mixed', 'mixed1', '--summary', 'mixed one');
    const id = await incidentOf('mixed one');
    const said = await house.ask(['incident', 'ack', 'i999999.default', id, '-o', 'json']);
    assert.equal(said.exit, 3);
    const { items } = JSON.parse(said.out) as { items: object[] };
    assert.deepEqual(items, [
      { id: 'i999999.default', status: 'failed', reason: 'no incident i999999.default' },
      { id, status: 'acknowledged' },
    ]);
    assert.match(said.err, /quench: i999999\.default: no incident i999999\.default/);
  });

  it('a note and a resolution by hand are on the timeline, and what is over is over', async () => {
    await fire('Noted', 'note1', '--summary', 'noted one');
    const id = await incidentOf('noted one');
    assert.equal((await house.ask(['incident', 'note', id, 'looked', 'at', 'it'])).exit, 0);
    assert.equal((await house.ask(['incident', 'resolve', id, '--note', 'cable was out'])).exit, 0);
    const shown = await eventually(
      () => house.ask(['incident', 'show', id]),
      ({ out }) => /^state +resolved by human \(admin\)$/m.test(out),
    );
    assert.match(shown.out, /admin: looked at it/);
    assert.match(shown.out, /resolved by human \(admin\): cable was out/);
    const again = await house.ask(['incident', 'ack', id]);
    assert.equal(again.exit, 1);
    assert.match(again.err, /is resolved/);
  });

  it('M1: nothing in an alert acts on the terminal, in no form and on no stream', async () => {
    const evil = 'evil\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp\u2028next';
    const body = JSON.stringify({
      version: '4',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: `Evil${evil}`, host: `h${evil}`, severity: 'critical' },
          annotations: { summary: `quench-evil ${evil}` },
          startsAt: '2026-11-21T11:59:00Z',
        },
      ],
    });
    assert.equal((await house.ask(['send', 'hook'], { stdin: body })).exit, 0);
    const id = await incidentOf('quench-evil');
    const alert = (await house.ask(['alert', 'list', '-q', '--text', 'quench-evil'])).out.trim();
    const refused = await house.ask(['send', 'hook'], { stdin: `{"evil${evil}":1}` });
    const letter = /dead letter (\w+)/.exec(refused.err)?.[1] ?? '';
    assert.notEqual(letter, '');
    const all = [
      refused,
      await house.ask(['incident', 'list'], { tty: true, env: { NO_COLOR: '1' } }),
      await house.ask(['incident', 'list', '-o', 'json']),
      await house.ask(['incident', 'show', id]),
      await house.ask(['alert', 'list']),
      await house.ask(['alert', 'show', alert]),
      await house.ask(['alert', 'show', alert, '--raw'], { tty: true, env: { NO_COLOR: '1' } }),
      await house.ask(['alert', 'show', alert, '-o', 'json']),
      await house.ask(['deadletter', 'list']),
      await house.ask(['deadletter', 'show', letter]),
      await house.ask(['silence', 'add', 'severity=critical', '--for', '1h', '--comment', 'x'], {
        stdin: 'n\n',
        tty: true,
        env: { NO_COLOR: '1' },
      }),
      await house.ask(['incident', 'show', `no${evil}`]),
    ];
    for (const { out, err } of all) assert.doesNotMatch(out + err, acting);
    assert.ok(all.some(({ out }) => out.includes('quench-evil')));
    const json = JSON.parse(all[7]?.out ?? '') as { annotations: { summary: string } };
    assert.ok(json.annotations.summary.includes('\u202e'), 'JSON keeps the meaning');
  });
});

describe('runs and pages', () => {
  it('a run that waits is approved, waited for, and told step by step; its page is listed', async () => {
    await fire('Stuck', 'run1', '--summary', 'stuck one');
    const incident = await incidentOf('stuck one');
    const id = await runOf(incident);
    assert.match(
      (await house.ask(['run', 'list', '--state', 'waiting'])).out,
      new RegExp(`^${id} +waiting +- +ask +approve .* ${incident} +host/run1$`, 'm'),
    );
    assert.match(
      (await house.ask(['page', 'list'])).out,
      new RegExp(`ringing +default +1 .* ${incident} +playbook ask wants to act on host/run1`),
    );

    const approved = await house.ask(['run', 'approve', id, '--wait']);

    assert.equal(approved.exit, 0, approved.err);
    const shown = await house.ask(['run', 'show', id]);
    assert.match(shown.out, /^state +succeeded: verified$/m);
    assert.match(shown.out, /^params +host=run1$/m);
    assert.match(shown.out, /\+\d+s {4}steps act: shell\/run: ok after \d+ms$/m);
    const story = await house.ask(['incident', 'show', incident]);
    assert.match(story.out, /^run +r\d+\.default ask on host\/run1: succeeded: verified$/m);
    assert.match(story.out, /paging by ladder default: playbook ask wants to act/);
  });

  it('approving a run that then fails is exit code 7', async () => {
    await fire('Hopeless', 'run2', '--summary', 'hopeless one');
    const said = await house.ask(['run', 'approve', await runOf(await incidentOf('hopeless one')), '--wait']);
    assert.equal(said.exit, 7, said.err);
    assert.match(said.err, /the run ended failed: It did not help \(step act: /);
  });

  it('a run that is denied or cancelled ends so, and a second word about it is refused', async () => {
    await fire('Stuck', 'run3', '--summary', 'stuck three');
    await fire('Stuck', 'run4', '--summary', 'stuck four');
    const denied = await runOf(await incidentOf('stuck three'));
    const cancelled = await runOf(await incidentOf('stuck four'));
    assert.equal((await house.ask(['run', 'deny', denied, '--note', 'not today'])).exit, 0);
    assert.equal((await house.ask(['run', 'cancel', cancelled])).exit, 0);
    await eventually(
      () => house.ask(['run', 'show', denied]),
      ({ out }) => /^state +denied: .*denied by admin: not today/m.test(out),
    );
    await eventually(
      () => house.ask(['run', 'show', cancelled]),
      ({ out }) => /^state +cancelled/m.test(out),
    );
    assert.equal((await house.ask(['run', 'approve', denied])).exit, 1);
  });

  it('B7: of a yes and a no given at once one counts, and the other is told which', async () => {
    await fire('Stuck', 'run6', '--summary', 'stuck six');
    const id = await runOf(await incidentOf('stuck six'));
    const said = await Promise.all([house.ask(['run', 'approve', id]), house.ask(['run', 'deny', id])]);
    assert.deepEqual(said.map(({ exit }) => exit).sort(), [0, 1], JSON.stringify(said));
    assert.match(said.find(({ exit }) => exit === 1)?.err ?? '', /run r\d+\.default (was (approved|denied) by admin|has ended denied)/);
  });

  it('B4: what nobody has cannot be given back; what was taken just now can', async () => {
    await fire('Stuck', 'run7', '--summary', 'stuck seven');
    const incident = await incidentOf('stuck seven');
    const refused = await house.ask(['incident', 'unack', incident]);
    assert.equal(refused.exit, 1);
    assert.match(refused.err, /incident i\d+\.default is open: nobody has it, so nobody can give it back/);
    assert.equal((await house.ask(['incident', 'ack', incident])).exit, 0);
    assert.equal((await house.ask(['incident', 'unack', incident])).exit, 0);
  });

  it('a watch that takes longer than it was given is exit code 6', async () => {
    await fire('Stuck', 'run5', '--summary', 'stuck five');
    const incident = await incidentOf('stuck five');
    const run = await runOf(incident);
    const said = await house.ask(['incident', 'watch', incident, '--timeout', '2s']);
    assert.equal(said.exit, 6, said.err);
    assert.ok(said.out.includes(`run ${run} waits for approval`), said.out);
  });
});

describe('watching', () => {
  it('F1: tells the whole story of one incident, each line once, and ends when it is resolved', async () => {
    await fire('Watched', 'w1', '--summary', 'watched one');
    const id = await incidentOf('watched one');
    let stirred = false;
    const watching = house.ask(['incident', 'watch', id, '--timeout', '10s'], {
      heard(out) {
        if (stirred || !out.includes('opened:')) return;
        stirred = true;
        void (async () => {
          await house.ask(['incident', 'note', id, 'first remark']);
          await house.ask(['incident', 'note', id, 'second remark']);
          await house.ask(['send', '--name', 'Watched', '--host', 'w1', '--severity', 'critical', '--cleared']);
        })();
      },
    });
    const said = await watching;
    assert.equal(said.exit, 0, said.err);
    const lines = said.out.trimEnd().split('\n');
    const texts = lines.map((line) => line.replace(/^\d\d:\d\d:\d\dZ +/, ''));
    for (const once of ['opened: w1: watched one', 'admin: first remark', 'admin: second remark']) {
      assert.equal(texts.filter((text) => text === once).length, 1, `${once} in\n${said.out}`);
    }
    assert.ok(
      texts.some((text) => text.startsWith('resolved by source')),
      said.out,
    );
    const again = await house.ask(['incident', 'watch', id]);
    assert.equal(again.exit, 0);
    assert.match(again.out, /resolved by source/, 'one that is over is told and ends at once');
  });

  it('an incident resolved after its playbook failed ends the watch with 7', async () => {
    await fire('Hopeless', 'w2', '--summary', 'hopeless two');
    const id = await incidentOf('hopeless two');
    await house.ask(['run', 'approve', await runOf(id), '--wait']);
    await house.ask(['incident', 'resolve', id]);
    const said = await house.ask(['incident', 'watch', id, '--timeout', '10s']);
    assert.equal(said.exit, 7, said.err);
  });

  it('watches everything until Ctrl-C, which is 130', { timeout: 30_000 }, async (t) => {
    const ctrlC = new AbortController();
    const watching = house.ask(['incident', 'watch', '-o', 'json'], {
      signal: AbortSignal.any([ctrlC.signal, t.signal]),
      heard: (out) => {
        if (out.includes('everything one')) ctrlC.abort();
      },
    });
    // A line only comes of what begins once the stream stands, so each is new.
    let n = 0;
    const stir = setInterval(() => void fire('Everything', `w3-${(n += 1)}`, '--summary', 'everything one'), 300);
    const said = await watching.finally(() => clearInterval(stir));
    assert.equal(said.exit, 130);
    const line = said.out.split('\n').find((each) => each.includes('everything one')) ?? '';
    assert.equal(typeof (JSON.parse(line) as { incident: string }).incident, 'string');
  });
});

describe('silences', () => {
  it('shows what it would mute, asks, and adds nothing after a no', async () => {
    await fire('Noisy', 'quiet1', '--summary', 'noisy one');
    await incidentOf('noisy one');
    const argv = ['silence', 'add', 'host=quiet1', '--for', '2h', '--comment', 'disk swap'];
    const no = await house.ask(argv, { tty: true, stdin: 'n\n' });
    assert.equal(no.exit, 1);
    assert.match(no.err, /for 2h it mutes 1 alert that fires now:\n {2}noisy one\n/);
    assert.equal((await house.ask(['silence', 'list', '--text', 'quiet1'])).out, '');

    const yes = await house.ask(argv, { tty: true, stdin: 'yes\n' });
    assert.equal(yes.exit, 0, yes.err);
    const id = yes.out.trim();
    const listed = await eventually(
      () => house.ask(['silence', 'list', '--text', 'quiet1']),
      ({ out }) => out !== '',
    );
    assert.match(listed.out, new RegExp(`^${id} +active +in (2h|1h59m) +admin +host=quiet1 +disk swap$`, 'm'));

    assert.equal((await house.ask(['silence', 'expire', id])).exit, 0);
    await eventually(
      () => house.ask(['silence', 'list', '--text', 'quiet1', '--state', 'expired', '-q']),
      ({ out }) => out.trim() === id,
    );
  });

  it('without anybody to ask it wants --yes, and takes it', async () => {
    const argv = ['silence', 'add', 'host=quiet2', '--until-resolved', '--comment', 'x'];
    const refused = await house.ask(argv);
    assert.equal(refused.exit, 2);
    assert.match(refused.err, /--yes/);
    const taken = await house.ask([...argv, '--yes']);
    assert.equal(taken.exit, 0);
    assert.match(taken.err, /for 1d it mutes 0 alerts that fire now/);
  });
});

describe('the gateway itself', () => {
  it('status says that it is ready and counts what it has', async () => {
    const said = await house.ask(['status']);
    assert.equal(said.exit, 0);
    assert.match(said.out, /^gateway +http:\/\/127\.0\.0\.1:\d+, version 0\.0\.0-test: ready$/m);
    assert.match(said.out, /^checks +engine ok, log ok, config ok, executor ok/m);
    assert.match(said.out, /^incidents +.*\d+ open/m);
    const json = JSON.parse((await house.ask(['status', '-o', 'json'])).out) as { status: string; summary: { version: string } };
    assert.deepEqual([json.status, json.summary.version], ['ready', '0.0.0-test']);
  });

  it('freeze shows in the status, with who and why, until thaw', async () => {
    const status = (): Promise<Said> => house.ask(['status']);
    assert.equal((await house.ask(['freeze', 'core', 'switch', 'change'])).exit, 0);
    await eventually(status, ({ out }) => /^frozen +by admin: core switch change \(since \d+s ago, until quench thaw\)$/m.test(out));
    // E8: a second one is kept beside the first, with its end.
    const timed = await house.ask(['freeze', '--for', '2h', 'fire', 'drill']);
    assert.match(timed.err, /no playbook acts for 2h, or until quench thaw/);
    const both = await eventually(status, ({ out }) => out.includes('fire drill'));
    assert.match(both.out, /^frozen +by admin: core switch change [^]*^frozen +by admin: fire drill \(since \d+s ago, ends in [12]h/m);
    assert.equal((await house.ask(['thaw'])).exit, 0);
    await eventually(status, ({ out }) => !out.includes('frozen'));
  });

  it('playbook list tells what is in force', async () => {
    const said = await house.ask(['playbook', 'list']);
    assert.match(said.out, /^ask +1\.0\.0 +approve +team\/test +Runs true\.$/m);
    assert.equal((await house.ask(['playbook', 'list', '-q'])).out, 'ask\nfail\n');
  });

  it('a delivery that is not understood is kept, shown, tried again, and let go', async () => {
    const sent = await house.ask(['send', 'hook', '--file', '-'], { stdin: '{"not":"an alert"}' });
    assert.equal(sent.exit, 1);
    const id = /dead letter (\w+)/.exec(sent.err)?.[1] ?? '';
    assert.match((await house.ask(['deadletter', 'list'])).out, new RegExp(`^${id} +waiting .* hook +wrong_shape `, 'm'));
    assert.match((await house.ask(['deadletter', 'show', id])).out, /\n\{"not":"an alert"\}\n$/);
    const replayed = await house.ask(['deadletter', 'replay', id]);
    assert.equal(replayed.exit, 1);
    assert.match(replayed.err, /still not understood/);
    assert.equal((await house.ask(['deadletter', 'discard', id])).exit, 0);
    assert.match((await house.ask(['deadletter', 'show', id])).out, new RegExp(`^letter +${id} discarded$`, 'm'));
  });

  it('a body from a file goes to the endpoint that is named', async () => {
    const alerts = [{ labels: { alertname: 'Filed', host: 'f1', severity: 'critical' }, annotations: { summary: 'filed one' } }];
    write(house.dir, { 'body.json': JSON.stringify(alerts) });
    const said = await house.ask(['send', 'hook', '-f', `${house.dir}/body.json`]);
    assert.deepEqual([said.exit, said.out], [0, '']);
    await incidentOf('filed one');
  });
});

describe('exit codes', () => {
  const table: readonly { says: string; argv: readonly string[]; env?: { [name: string]: string }; exit: number; err: RegExp }[] = [
    { says: 'what is not there is 3', argv: ['incident', 'show', 'i999999.default'], exit: 3, err: /no incident i999999\.default/ },
    { says: 'an endpoint that is not there is 3', argv: ['send', 'nowhere', '--file', '-'], exit: 3, err: /no such endpoint/ },
    { says: 'a wrong token is 4', argv: ['incident', 'list'], env: { QUENCH_TOKEN: 'wrong' }, exit: 4, err: /QUENCH_TOKEN/ },
    { says: 'a token that may not is 4', argv: ['thaw'], env: { QUENCH_TOKEN: 'token-of-rita' }, exit: 4, err: /needs the role admin/ },
    {
      says: 'a token that may read reads',
      argv: ['incident', 'list', '-q', '--limit', '1'],
      env: { QUENCH_TOKEN: 'token-of-rita' },
      exit: 0,
      err: /^/,
    },
    {
      says: 'a wrong token of a sender is 4',
      argv: ['send', '--name', 'X'],
      env: { QUENCH_INGEST_TOKEN: 'wrong' },
      exit: 4,
      err: /QUENCH_INGEST_TOKEN/,
    },
    {
      says: 'a matcher that mutes everything is 1',
      argv: ['silence', 'add', 'host=~.*', '--for', '1h', '--comment', 'x', '-y'],
      exit: 1,
      err: /empty text/,
    },
    { says: 'an option of another command is 2', argv: ['thaw', '--yes'], exit: 2, err: /thaw has no option --yes/ },
  ];
  for (const { says, argv, env = {}, exit, err } of table) {
    it(says, async () => {
      const said = await house.ask(argv, { env });
      assert.equal(said.exit, exit, said.err);
      assert.match(said.err, err);
    });
  }

  it('a token file that is named wins over the environment', async () => {
    const said = await house.ask(['incident', 'list', '--token-file', `${house.dir}/data/admin.token`], { env: { QUENCH_TOKEN: 'wrong' } });
    assert.equal(said.exit, 0);
    const missing = await house.ask(['incident', 'list', '--token-file', `${house.dir}/none.token`]);
    assert.equal(missing.exit, 2);
  });

  it('QUENCH_URL says where the gateway is', async () => {
    const said = await quench(['status', '--config', house.dir], { env: { QUENCH_URL: house.url } });
    assert.equal(said.exit, 0, said.err);
  });
});
