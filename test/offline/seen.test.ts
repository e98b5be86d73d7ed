// What `quench check` says of a configuration by looking at what it leads to, and what it never repeats of it.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { problemLine, type ConfigProblem } from '../../src/config/yaml/problems.ts';
import { checkConfig } from '../../src/offline/load.ts';

interface Said {
  readonly problems: string;
  readonly warnings: string;
}

const token = 'a-token-that-is-long-enough';

interface Parts {
  readonly token?: string;
  readonly auth?: 'bearer' | 'basic';
  readonly scopes?: string;
  readonly labels?: string;
  readonly notifiers?: string;
  readonly options?: string;
  readonly actions?: string;
  readonly version?: string;
  readonly pattern?: string;
  readonly publicUrl?: string;
}

function saidOf(t: TestContext, parts: Parts): Said & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'quench-seen-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'playbooks'));
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin/heal'), '#!/bin/sh\n', { mode: 0o755 });
  chmodSync(join(dir, 'bin/heal'), 0o755);
  writeFileSync(join(dir, 'bin/note.txt'), 'x', { mode: 0o644 });
  writeFileSync(join(dir, 'api.token'), parts.token ?? token, { mode: 0o600 });
  writeFileSync(join(dir, 'door.token'), `${parts.token ?? token}-of-the-door`, { mode: 0o600 });
  writeFileSync(
    join(dir, 'playbooks/one.yaml'),
    `apiVersion: playbook/v1
name: one
version: ${parts.version ?? '1.0.0'}
summary: s
owner: o
mode: auto
on: [{ alert: alert.name == "Down" }]
params: { host: { type: string, from: alert.host, pattern: ${parts.pattern ?? '"[a-z]+"'} } }
target: { resource: thing }
steps: [{ id: go, uses: shell/run, with: { argv: [${dir}/bin/heal, --, $params.host] }, timeout: 10s }]
verify: { within: 30s, all: [resolved] }
`,
  );
  writeFileSync(
    join(dir, 'quench.yaml'),
    `listen: { host: 127.0.0.1, port: 0${parts.publicUrl === undefined ? '' : `, publicUrl: "${parts.publicUrl}"`} }
scope: { labels: [${parts.labels ?? ''}] }
api: { tokens: { ops: { role: read, secret: { file: api.token }, scopes: [${parts.scopes ?? 'acme'}] } }, ackSecrets: none }
endpoints: { am: { source: prometheus, tenant: acme, auth: { ${parts.auth ?? 'bearer'}: { file: door.token } } ${parts.options ?? ''} } }
notifiers: { terminal: { type: console } ${parts.notifiers ?? ''} }
ladders: { default: { rungs: [{ notify: terminal }] } }
actions: { shell: { allow: [${parts.actions ?? `${dir}/bin`}] } }
`,
  );
  const warned: ConfigProblem[] = [];
  const checked = checkConfig(dir, {}, (warning) => warned.push(warning));
  const lines = (found: readonly ConfigProblem[]): string => found.map(problemLine).join('\n').replaceAll(`${dir}/`, '');
  return { dir, problems: checked.ok ? '' : lines(checked.error), warnings: lines(warned) };
}

test('B2: a configuration without a flaw is fine', (t) => {
  const { problems, warnings } = saidOf(t, {});
  assert.deepEqual({ problems, warnings }, { problems: '', warnings: '' });
});

const password = 'hunter2hunter2';
for (const [what, parts, where] of [
  ['of a notifier', { notifiers: `, hook: { type: webhook, url: "https://anna:${password}@h.example/x"}` }, /url/],
  ['with blanks and signs in it', { notifiers: `, h: { type: webhook, url: "https://anna:${password} @/'x@h.example/" }` }, /url/],
  ['longer than what is shown', { notifiers: `, h: { type: webhook, url: "https://anna:${password.repeat(9)}@h.example/" }` }, /url/],
  ['of a source that is asked', { options: `, reconcile: { url: "https://anna:${password}@am.example/", receiver: q }` }, /url/],
  ['without a scheme', { options: `, reconcile: { url: "anna:${password}@am.example", receiver: q }` }, /url/],
  ['as the key of something', { notifiers: `, "https://anna:${password}@h.example/": { type: console }` }, /notifiers/],
  ['of the gateway itself', { publicUrl: `https://anna:${password}@quench.example` }, /publicUrl/],
  ['in the list of a family', { actions: `"https://anna:${password}@h.example/"` }, /allow/],
  ['where a name should stand', { scopes: `acme], role: "https://anna:${password}@h.example/", x: [` }, /./],
] as const) {
  test(`B2: user and password of an address are repeated by no message: one ${what}`, (t) => {
    const { problems, warnings } = saidOf(t, parts);
    assert.match(problems, where);
    assert.doesNotMatch(problems + warnings, /hunter2|anna/);
  });
}

test('B2: an address with a password in it is told as the secret itself', (t) => {
  const { problems } = saidOf(t, { notifiers: `, hook: { type: webhook, url: "https://anna:${password}@h.example/x" }` });
  assert.match(
    problems,
    /notifiers\.hook\.url: expected an address .*, seen "https:\/\/…@h\.example\/x", the secret itself in it: user and/,
  );
});

for (const [what, given, auth, seen] of [
  ['two lines', `${token}\n${token}`, 'bearer', '2 lines'],
  ['a line more than one', `${token}\n\n`, 'bearer', '3 lines'],
  ['a blank within', 'two words, long enough', 'bearer', 'a blank within'],
  ['a blank at its end', `${token} `, 'bearer', 'a blank'],
  ['a letter that no header holds', `${token}ß`, 'bearer', 'a letter that is not ASCII'],
  ['a control character', `${token}\u0007`, 'bearer', 'a control character'],
  ['two lines, as a password', `${token}\n${token}`, 'basic', '2 lines'],
] as const) {
  test(`B2: a token with ${what} is refused, and not shown`, (t) => {
    const { problems } = saidOf(t, { token: given, auth });
    assert.match(problems, /api\.tokens\.ops\.secret: expected one word of ASCII/);
    const door = problems.split('\n').find((line) => line.includes('endpoints.am.auth')) ?? '';
    assert.ok(door.includes(`expected one word of ASCII, which a header can carry, seen ${seen}`), problems);
    assert.doesNotMatch(problems, /long.enough/);
  });
}

test('B2: a password of basic may hold blanks and letters; base64 carries them', (t) => {
  const { problems } = saidOf(t, { token: 'zwei Wörter, lang genug', auth: 'basic' });
  assert.doesNotMatch(problems, /endpoints\.am/);
});

test('B2: scopes in which nothing lies are a warning', (t) => {
  assert.match(saidOf(t, { scopes: 'acmee' }).warnings, /ops\.scopes\[0\]: expected a scope of a tenant .*"acmee"; did you mean "acme"\?/);
  assert.match(saidOf(t, { scopes: 'acme', labels: 'team' }).warnings, /expected a scope as acme;team=…, seen "acme"/);
  assert.match(saidOf(t, { scopes: '"acme;team=db"' }).warnings, /expected a scope as acme, seen "acme;team=db"/);
  assert.equal(saidOf(t, { scopes: '"acme;team=db"', labels: 'team' }).warnings, '');
});

test('B2: a program of the list that is not there, or may not be run, is a warning', (t) => {
  const { dir } = saidOf(t, {});
  assert.match(saidOf(t, { actions: '/usr/bin/envv' }).warnings, /seen nothing at \/usr\/bin\/envv: did you mean \/usr\/bin\/env\?/);
  assert.equal(saidOf(t, { actions: '/usr/bin/of-a-package-that-is-nowhere' }).warnings, '');
  const { warnings, problems } = saidOf(t, { actions: `${dir}/bin/heal, ${dir}/bin/gone, ${dir}/bin/note.txt, ${dir}/bin` });
  assert.doesNotMatch(problems, /allow\[/);
  assert.match(warnings, /actions\.shell\.allow\[1\]: expected a program, or .*, seen nothing at \S*gone: correct the path/);
  assert.match(warnings, /actions\.shell\.allow\[2\]: .*seen a file that may not be run: chmod \+x/);
  assert.doesNotMatch(warnings, /allow\[[03]\]/);
});

test('B2: a number is told as it is written', (t) => {
  for (const written of ['1.0', '0x10', '1e3'])
    assert.match(saidOf(t, { version: written }).problems, new RegExp(`version: expected .*, seen ${written}, which is the number \\d+: `));
  assert.match(saidOf(t, { version: '2' }).problems, /version: expected .*, seen 2$/m);
});

test('B2: a slip of the pen in a pattern is told as one, and what cannot be linear as that', (t) => {
  for (const broken of ['"[a-z"', '"(a"', '"a{2,1}"'])
    assert.match(saidOf(t, { pattern: broken }).problems, /params\.host\.pattern: expected a regular expression that can be read/, broken);
  for (const steep of ['"(a)\\\\1"', '"(?=a)b"', '"(?<!a)b"'])
    assert.match(saidOf(t, { pattern: steep }).problems, /params\.host\.pattern: expected a linear-time pattern \(RE2\), seen one/, steep);
});
