// B18: what a page says to a person who was asleep a minute ago (src/core/page/words.ts), on stories over the pure core.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Notification } from '../../src/core/page/notification.ts';
import type { Diagnosis } from '../../src/core/playbook/document.ts';
import { hour, minute, second } from '../../src/core/time.ts';
import { callText, lastLines, outputText } from '../../src/core/run/told.ts';
import { sinceOf } from '../../src/core/time.ts';
import { entryOf } from '../../src/readmodel/timeline.ts';
import { someday } from '../support/clock.ts';
import { eventOf } from '../support/event.ts';
import { began, clears, incidentOf } from '../support/play.ts';
import { playbookOf, policyOf, stepOf } from '../support/policy.ts';
import { accepted, tell, type Story } from '../support/story.ts';

const look: Diagnosis = {
  kind: 'look',
  id: 'disk',
  uses: 'shell/check',
  with: { argv: ['df', '-h', '/'] },
  timeoutMs: second,
  continueOnError: true,
};
const df = {
  exitCode: 0,
  stdout: 'Filesystem  Size  Used Avail Use% Mounted on\n/dev/sda1   40G   16G   24G  41% /\n',
  stderr: '',
  truncated: false,
};

/** The words that the newest grant gave to this notifier. */
function told(story: Story, notifier = 'first'): Notification {
  const granted = story.all('NotifyGranted').findLast((fact) => fact.notifier === notifier);
  assert.ok(granted !== undefined, `${notifier} was granted something`);
  return granted.notification;
}

/** Time passes, and every notifier takes what it is given. */
function passing(story: Story, span: number): void {
  for (let left = span; left > 0; left -= 10 * second) {
    story.forward(10 * second);
    story.notified(accepted);
  }
}

function rang(change: Parameters<typeof eventOf>[0] = {}): Story {
  const story = tell(policyOf());
  story.see(eventOf(change));
  story.forward(10 * second);
  story.notified(accepted);
  return story;
}

describe('B18: a page', () => {
  test('says since when, which rule, on what, whose it is and who says so, in its first lines', () => {
    const story = rang({
      startedAt: someday - 4 * minute,
      labels: { alertname: 'ServiceDown', team: 'payments' },
      entity: { host: 'web1', service: 'checkout' },
    });
    const { text, facts, startedAt } = told(story);

    const [since = '', about = ''] = text.split('\n');
    assert.match(since, /^since \d\d:\d\d UTC \(4m10s\)$/);
    assert.equal(about, 'rule ServiceDown, host web1, service checkout, team payments, from prometheus');
    assert.equal(startedAt, someday - 4 * minute);
    const named = Object.fromEntries(facts.map(({ name, value }) => [name, value]));
    assert.deepEqual(named, {
      incident: incidentOf(story),
      rule: 'ServiceDown',
      host: 'web1',
      service: 'checkout',
      team: 'payments',
      sources: 'prometheus',
    });
  });

  test('takes whose it is from the words that senders use for it, labels before annotations', () => {
    for (const [labels, annotations, whose] of [
      [{ owner: 'storage' }, {}, 'storage'],
      [{}, { team: 'dba' }, 'dba'],
      [{ squad: 'blue' }, { owner: 'red' }, 'blue'],
    ] as const) {
      assert.match(told(rang({ labels, annotations })).text, new RegExp(`, team ${whose}, from prometheus$`, 'm'));
    }
    assert.doesNotMatch(told(rang()).text, /team/);
  });

  test('shows what looks saw and what steps gave, their last lines, and how the playbook ended and why', () => {
    const story = began({ diagnose: [look], steps: [stepOf({ uses: 'shell/run' })] });
    story.answer({ outcome: 'ok', output: df });
    story.answer({
      outcome: 'failed',
      error: 'exit',
      detail: 'exit code 1',
      output: { exitCode: 1, stderr: `${'x\n'.repeat(50)}Job for checkout.service failed\n` },
    });
    story.forward(10 * second);
    story.notified(accepted);

    const { text } = told(story);
    assert.match(text, /^Tried: playbook restart-service 1\.0\.0 on checkout at \d\d:\d\d UTC: failed: step restart: exit code 1$/m);
    assert.match(text, /^restart \(shell\/run\):\n> …\n(?:> x\n){4}> Job for checkout\.service failed$/m);
    assert.match(text, /^Seen:\ndisk \(shell\/check\):\n> exitCode: 0\n> Filesystem .*\n> \/dev\/sda1 .* 41% \/$/m);
    assert.ok(text.indexOf('Tried:') < text.indexOf('Seen:') && text.indexOf('Seen:') < text.indexOf('Why you:'));
  });

  test('says why no playbook acted: the guard that refused, or that none was tried', () => {
    const refused = began({ guards: { ...playbookOf().guards, confidence: 1 } });
    refused.forward(5 * minute);
    refused.notified(accepted);
    assert.match(told(refused).text, /^Not tried: playbook restart-service: .*(?:score|confidence)/m);
    assert.match(told(rang()).text, /^Tried: nothing by a playbook$/m);
  });

  test('lists what else fires with its age, never a count of one, no score, and ids only in commands', () => {
    const alone = told(rang()).text;
    assert.doesNotMatch(alone, /Also firing|and 0|score/);
    assert.deepEqual(alone.match(/i\d+\.default/g)?.length, 2);
    assert.match(alone, /quench incident ack i\d+\.default \(or the link\) takes it; quench incident show i\d+\.default tells more$/);

    const story = tell(policyOf());
    for (let index = 0; index < 9; index += 1) story.see(eventOf({ name: `Rule${index}`, severity: index === 4 ? 'critical' : 'error' }));
    story.forward(10 * second);
    story.notified(accepted);
    const { text, title } = told(story);
    assert.match(title, /Rule4 on web1 \(and 8 more\)/);
    assert.equal(text.match(/^- error: Rule\d on web1 \(prometheus, since \d\d:\d\d UTC \(10s\)\)$/gm)?.length, 5);
    assert.match(text, /^- and 3 more$/m);
  });

  test('says why it rings, how far it has come, who was told before and who is next', () => {
    const story = rang();
    const first = told(story);
    assert.match(first.text, /^Why you: no playbook helps with it$/m);
    assert.match(first.text, /ladder default, rung 1 of 2; nobody was told before; next second after 5m, unless somebody has it$/m);

    story.forward(5 * minute);
    story.notified(accepted);
    assert.match(told(story, 'second').text, /rung 2 of 2; told before: first; it rings on until somebody has it$/m);
  });

  test('is no repeat for somebody who is told for the first time', () => {
    const story = rang();
    story.forward(5 * minute);
    story.notified(accepted);
    assert.equal(told(story).kind, 'page');
    assert.equal(told(story, 'second').kind, 'page', 'the second rung was asked for as a repeat, and nobody on it was told before');
    story.forward(5 * minute);
    story.notified(accepted);
    assert.equal(told(story).kind, 'repeat');
  });

  test('of a fresh alert says just now, of one since days the day', () => {
    assert.equal(sinceOf(someday, someday), `since ${sinceOf(someday, someday).slice(6, 15)} (just now)`);
    assert.match(sinceOf(someday + hour, someday), /\(just now\)$/);
    const late = Date.UTC(2026, 1, 28, 23, 33);
    assert.equal(sinceOf(late, late + 4 * minute), 'since 23:33 UTC (4m)');
    for (let at = Date.UTC(1970, 0, 1), day = 0; day < 60_000; day += 97) {
      const from = at + day * 24 * hour;
      assert.equal(sinceOf(from, from + 48 * hour).slice(6, 16), new Date(from).toISOString().slice(0, 10));
    }
  });
});

describe('B18: the end', () => {
  test('says which playbook healed it, how, and after how long', () => {
    const story = began({ verify: { ...playbookOf().verify, proofs: [{ kind: 'resolved' }] }, guards: { ...playbookOf().guards } });
    story.answer({ outcome: 'ok', output: { exitCode: 0, stdout: 'restarted checkout\nactive (running)\n' } });
    passing(story, 3 * minute); // beyond its hold-off: somebody is paged while it works
    clears(story);
    story.notified(accepted);

    const { kind, text } = told(story);
    assert.equal(kind, 'resolve');
    assert.match(text, /^healed by playbook restart-service after 3m: every alert cleared$/m);
    assert.match(
      text,
      /^playbook restart-service on checkout at \d\d:\d\d UTC: succeeded: verified\nrestart \(test\/restart\):\n> exitCode: 0\n> restarted checkout\n> active \(running\)$/m,
    );
  });

  test('says that its source cleared it and no playbook acted', () => {
    const story = rang();
    clears(story);
    story.notified(accepted);
    assert.match(told(story).text, /^cleared by prometheus after 10s: every alert cleared; no playbook acted$/);
  });

  test('says which person resolved it, with the remark, and what still fires', () => {
    const story = rang();
    story.say({ type: 'Acked', incident: incidentOf(story), by: 'anna', via: 'api' });
    story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ben', via: 'api', note: 'known, see the change' });
    story.notified(accepted);
    assert.match(
      told(story).text,
      /^resolved by ben after 10s: known, see the change\n1 alert of it still fires\nanna had it since \d\d:\d\d UTC$/,
    );
  });

  test('of a later life forgets who ended the one before', () => {
    const story = rang();
    story.say({ type: 'Resolved', incident: incidentOf(story), by: 'ben', via: 'api', note: '' });
    story.forward(15 * minute);
    assert.equal(story.desk().tables.incidents.rows.get(incidentOf(story))?.ended, undefined);
  });
});

describe('B18: a page that asks for a yes', () => {
  test('shows the exact command of every step, the target, until when, and how to say yes or no', () => {
    const steps = [
      stepOf({ id: 'stop', uses: 'shell/run', with: { argv: ['systemctl', 'stop', '$params.service'] } }),
      stepOf({
        id: 'start',
        uses: 'shell/run',
        with: { argv: ['systemctl', 'start', 'a b', '$steps.stop.unit'] },
        when: 'steps.stop.exitCode == 0',
      }),
    ];
    const story = began({ mode: 'approve', steps });
    story.notified(accepted);
    const { kind, text } = told(story);
    const { run } = story.last('ApprovalRequested');

    assert.equal(kind, 'approval');
    assert.match(text, /^Playbook restart-service 1\.0\.0 asks to act on checkout until \d\d:\d\d UTC\. It would run:$/m);
    assert.match(text, /^- stop: shell\/run systemctl stop checkout$/m);
    assert.match(text, /^- start: shell\/run, with what an earlier step gives \(.*\) \(if steps\.stop\.exitCode == 0\)$/m);
    assert.ok(text.includes(`Yes: quench run approve ${run}   No: quench run deny ${run}`));
    assert.ok(text.indexOf('asks to act') < text.indexOf('Why you:'));
  });

  test('no longer asks once somebody answered', () => {
    const story = began({ mode: 'approve' });
    story.notified(accepted);
    story.say({ type: 'Denied', run: story.last('RunStarted').run, by: 'anna', via: 'api', note: 'no' });
    passing(story, 31 * minute);
    assert.doesNotMatch(told(story).text, /asks to act/);
    assert.match(told(story).text, /^Tried: playbook restart-service .*: denied: denied by anna: no$/m);
  });
});

test('who acknowledged is told once on the timeline, whatever way it came', () => {
  const story = rang();
  story.say({ type: 'Acked', incident: incidentOf(story), by: 'anna', via: 'link' });
  const lines = story.facts.flatMap((fact) => entryOf(fact)?.text ?? []).filter((text) => text.includes('acknowledged by'));
  assert.deepEqual(lines, ['acknowledged by anna (link)']);
});

test('B18: a command reads as its words, quoted where a person could misread them; what else it is given stands behind', () => {
  assert.equal(callText('shell/run', { argv: ['rm', '--', 'a b', '$(x)', ''] }, 200), 'shell/run rm -- "a b" "$(x)" ""');
  assert.equal(callText('shell/run', { argv: ['cat'], stdin: 'x' }, 200), 'shell/run cat with {"stdin":"x"}');
  assert.equal(callText('http/request', { method: 'POST', url: 'http://a/' }, 200), 'http/request {"method":"POST","url":"http://a/"}');
  assert.equal(callText('x/y', { argv: [1] }, 12), 'x/y {"argv"…');
});

test('B18: an output reads as text, once, and its last lines are bounded', () => {
  assert.equal(
    outputText({ exitCode: 1, stdout: 'a\n', stderr: '', truncated: false, json: { a: 1 } }),
    'exitCode: 1, stdout: a'.replace(', stdout: a', '\na'),
  );
  assert.equal(outputText({ json: { a: 1 }, status: 200 }), 'status: 200\njson: {"a":1}');
  assert.deepEqual(lastLines('1\n\n2\r\n3\n', { lines: 2, chars: 9 }), ['…', '2', '3']);
  assert.deepEqual(lastLines('x'.repeat(12), { lines: 2, chars: 4 }), ['xxx…']);
  assert.deepEqual(lastLines('', { lines: 2, chars: 4 }), []);
});

test('B18: whatever alerts and programs say, a text stays bounded and keeps its order', () => {
  const story = began({ diagnose: [look], mode: 'auto' }, { grouping: { ...policyOf().grouping, membersMax: 500 } });
  for (let index = 0; index < 60; index += 1) story.see(eventOf({ name: `Rule${index}`, summary: 'y'.repeat(1_000) }));
  story.answer({ outcome: 'ok', output: { exitCode: 0, stdout: `${'z'.repeat(5_000)}\n`.repeat(500) } });
  story.answer({ outcome: 'failed', error: 'exit', detail: 'd'.repeat(5_000), output: { body: 'w'.repeat(60_000) } });
  story.forward(10 * second);
  story.notified(accepted);
  const { text } = told(story);
  assert.ok(text.length < 8_000, `${text.length} characters`);
  assert.match(text, /^since /);
});
