import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { consoleNotifier } from '../../adapters/console/notifier.ts';
import { HttpConfig } from '../../adapters/http/config.ts';
import { keyOf } from '../../adapters/kit/signature.ts';
import { PagerDutyConfig } from '../../adapters/pagerduty/notifier.ts';
import { ProcessConfig } from '../../adapters/process/config.ts';
import { ShellConfig } from '../../adapters/shell/config.ts';
import { SlackConfig } from '../../adapters/slack/notifier.ts';
import { smtpNotifier } from '../../adapters/smtp/notifier.ts';
import { diskFiles } from '../../src/config/files.ts';
import { loadConfig, readConfig } from '../../src/config/quench/config.ts';
import type { ConfigDeps } from '../../src/config/quench/loading.ts';
import { usableConfig } from '../../src/config/quench/usable.ts';
import { bookTo, exchanged, linesOf, playbookDeps, textFiles } from './support.ts';

const none = { type: 'object', additionalProperties: false, properties: {} };
const base: Omit<ConfigDeps, 'files' | 'env'> = {
  ...playbookDeps,
  sources: ['prometheus', 'zabbix', 'nagios', 'newrelic'].map((name) => ({
    name,
    options: { ...none, properties: { severityLabel: { type: 'string' }, apiSecret: { type: 'string', writeOnly: true } } },
  })),
  notifiers: [consoleNotifier, smtpNotifier, { name: 'pagerduty', options: PagerDutyConfig }, { name: 'slack', options: SlackConfig }],
  logs: [],
  stores: [{ name: 'sqlite' }],
  series: [{ name: 'sqlite', options: none }],
  actionKinds: [
    { name: 'shell', options: ShellConfig },
    { name: 'http', options: HttpConfig },
    { name: 'process', options: ProcessConfig },
  ],
  keyProblem: (secret) => {
    const read = keyOf(secret);
    return read.ok ? null : read.error;
  },
};

const good = `listen: { host: 127.0.0.1, port: 8686 }
endpoints:
  prom:
    source: prometheus
    auth: { bearer: [{ file: new.token }, { env: OLD_TOKEN }], hmac: { env: SIGNING } }
    options: { severityLabel: level }
notifiers:
  terminal: { type: console }
  oncall: { type: pagerduty, routingKey: { env: PD_KEY } }
ladders:
  default:
    rungs: [{ notify: terminal, wait: 1m }, { notify: [oncall, terminal] }]
    repeat: 1
  night: { rungs: [{ notify: [oncall] }] }
routes:
  - { when: incident.severity == "critical", ladder: night }
  - { ladder: default }
actions:
  shell: { allow: [/usr/bin/true, ./bin] }
playbooks: { dir: ./books }
holdOff: 90s
limits: { body: 512KiB }
`;
const book = bookTo('night');
const key = 'K3y'.padEnd(32, 'x');
const signing = `whsec_${Buffer.alloc(24, 's').toString('base64')}`;
const env = { OLD_TOKEN: 'old-secret', SIGNING: signing, PD_KEY: key };

function load(text: string, more: { readonly [path: string]: string } = {}, vars: ConfigDeps['env'] = env): ReturnType<typeof loadConfig> {
  const files = textFiles({ '/etc/q/quench.yaml': text, '/etc/q/new.token': 'new-secret\n', '/etc/q/books/one.yaml': book, ...more });
  return loadConfig('/etc/q/quench.yaml', { ...base, env: vars, files });
}

describe('a configuration that is well', () => {
  it('loads with secrets in place, paths beside the file, and defaults for the rest', () => {
    const loaded = load(good);
    assert(loaded.ok, linesOf(loaded).join('\n'));
    const config = loaded.value;
    assert.deepEqual(config.endpoints['prom'], {
      source: 'prometheus',
      tenant: 'default',
      auth: [
        { kind: 'bearer', secrets: ['new-secret', 'old-secret'] },
        { kind: 'hmac', secrets: [signing] },
      ],
      alertsApi: false,
      reconcile: null,
      options: { severityLabel: 'level' },
      mapping: {},
    });
    assert.deepEqual(config.notifiers['oncall'], { type: 'pagerduty', options: { routingKey: key } });
    assert.deepEqual(config.actions, { shell: { allow: ['/usr/bin/true', '/etc/q/bin'] } });
    assert.equal(config.data.dir, '/etc/q/data');
    assert.equal(config.listen.publicUrl, 'http://127.0.0.1:8686');
    assert.equal(config.limits.bodyBytesMax, 524_288);
    assert.equal(config.limits.retentionMs, 2_592_000_000);
    assert.equal(config.limits.diskBytesMax, 20 * 1_073_741_824);
    assert.deepEqual(config.spool, { bytesMax: 268_435_456, ageMaxMs: 3_600_000 });
  });

  it('C16: knows its secrets: what came by reference, and variables and headers that are no path and no plain word', () => {
    const text = exchanged(
      good,
      'actions:\n',
      `actions:
  http: { credentials: [{ url: https://x.test/, headers: { authorization: Bearer w0rd-of-a-header, accept: application/json } }] }
  process: { p: { command: [/bin/true], pidFile: /run/p, env: { DEPLOY_AUTH: plainword, HOME: /srv/0ne } } }
`,
    ).replace('./bin] }', './bin], env: { A: { env: SHELL_A }, USER: { env: SHELL_USER }, B: l1teral-value, C: production, D: /etc/x9 } }');
    const loaded = load(text, {}, { ...env, SHELL_A: 'by-reference', SHELL_USER: 'deploy' });
    assert(loaded.ok, linesOf(loaded).join('\n'));
    const expected = ['new-secret', 'old-secret', signing, key, 'by-reference', 'l1teral-value', 'Bearer w0rd-of-a-header', 'plainword'];
    assert.deepEqual([...loaded.value.secrets].sort(), expected.sort());
  });

  it('pages what nobody decided to whom the last route rings first, or to whom it says', () => {
    const plain = load(exchanged(good, '- { ladder: default }', '- { ladder: night }'));
    assert(plain.ok, linesOf(plain).join('\n'));
    assert.deepEqual(plain.value.failOpen, { afterMs: 120_000, notify: ['oncall'] });
    const said = load(`${good}failOpen: { after: 30s, notify: terminal }\nspool: { bytes: 1GiB, age: 6h }\n`);
    assert(said.ok, linesOf(said).join('\n'));
    assert.deepEqual(said.value.failOpen, { afterMs: 30_000, notify: ['terminal'] });
    assert.deepEqual(said.value.spool, { bytesMax: 1_073_741_824, ageMaxMs: 21_600_000 });
  });

  it('the policy holds playbooks, ladders, routes and rules, and nothing secret', () => {
    const loaded = load(good);
    assert(loaded.ok);
    const { policy } = loaded.value;
    assert.deepEqual(
      policy.playbooks.map(({ name }) => name),
      ['one'],
    );
    assert.deepEqual(policy.ladders['default'], {
      name: 'default',
      rungs: [
        { notify: ['terminal'], waitMs: 60_000 },
        { notify: ['oncall', 'terminal'], waitMs: 300_000 },
      ],
      repeat: 1,
      ackTimeoutMs: 1_800_000,
    });
    assert.deepEqual(policy.routes, [
      { when: 'incident.severity == "critical"', ladder: 'night' },
      { when: null, ladder: 'default' },
    ]);
    assert.deepEqual(policy.grouping, { windowMs: 300_000, labels: [], reopenMs: 600_000, membersMax: 500 });
    assert.deepEqual(policy.storm, { alerts: 100, withinMs: 60_000 });
    assert.deepEqual(policy.flap, { startPercent: 30, stopPercent: 20, steadyMs: 300_000 });
    assert.deepEqual(policy.paging, { severity: 'error', score: 0.3 });
    assert.deepEqual([policy.holdOffMs, policy.staleMs], [90_000, 259_200_000]);
    for (const secret of ['new-secret', 'old-secret', signing, key]) assert(!JSON.stringify(policy).includes(secret));
  });

  it('the policy digest moves with what decides and with nothing else', () => {
    const digest = (text: string, more?: { readonly [path: string]: string }): string => {
      const loaded = load(text, more);
      assert(loaded.ok, linesOf(loaded).join('\n'));
      return loaded.value.policy.digest;
    };
    const lines = good.trimEnd().split('\n');
    assert.equal(digest([lines.at(-1), '# comment', ...lines.slice(0, -1)].join('\n')), digest(good));
    assert.equal(digest(exchanged(good, 'port: 8686', 'port: 9999')), digest(good));
    assert.notEqual(digest(exchanged(good, 'holdOff: 90s', 'holdOff: 91s')), digest(good));
    assert.notEqual(digest(good, { '/etc/q/books/one.yaml': exchanged(book, 'timeout: 10s', 'timeout: 11s') }), digest(good));
  });

  it('a token sees every scope, or those that it names, each whole', () => {
    const tokens = (scopes: string): string => `${good}api: { tokens: { ann: { role: read, secret: { env: OLD_TOKEN }${scopes} } } }\n`;
    const scopesOf = (text: string): unknown => {
      const loaded = load(text);
      assert(loaded.ok, linesOf(loaded).join('\n'));
      return loaded.value.api.tokens.map(({ scopes }) => scopes);
    };
    assert.deepEqual(scopesOf(tokens('')), [null]);
    assert.deepEqual(scopesOf(tokens(', scopes: [default, "acme;team=db"]')), [['default', 'acme;team=db']]);
    for (const wrong of ['[]', '["team-*"]', '["*"]', '["a b"]', '[a, a]', 'default'])
      assert.match(linesOf(load(tokens(`, scopes: ${wrong}`))).join('\n'), /api\.tokens\.ann\.scopes/, wrong);
  });

  it('B18: a notifier says whom it reaches alone, which is no option of its kind', () => {
    const said = load(exchanged(good, 'type: pagerduty,', 'type: pagerduty, person: Anna Ö,'));
    assert(said.ok, linesOf(said).join('\n'));
    assert.equal(said.value.notifiers['oncall']?.person, 'Anna Ö');
    assert.deepEqual(Object.keys(said.value.notifiers['oncall']?.options ?? {}), ['routingKey']);
    assert.equal(said.value.notifiers['terminal']?.person, undefined);
  });

  it('lets nobody approve by a link unless it says who, and then only whom a notifier reaches alone', () => {
    const plain = load(good);
    assert(plain.ok);
    assert.deepEqual(plain.value.approvals, { byLink: false, approvers: [] });
    const persons = exchanged(good, 'type: pagerduty,', 'type: pagerduty, person: anna,');
    const named = load(`${persons}approvals: { approvers: [anna] }\n`);
    assert(named.ok, linesOf(named).join('\n'));
    assert.deepEqual(named.value.approvals, { byLink: false, approvers: ['anna'] });
    const open = load(`${good}approvals: { byLink: true }\n`);
    assert(open.ok, linesOf(open).join('\n'));
    assert.deepEqual(open.value.approvals, { byLink: true, approvers: [] });
    for (const [text, want] of [
      [
        `${persons}approvals: { approvers: [anna, ana] }\n`,
        /:\d+:\d+: approvals\.approvers\[1\]: expected the person of a notifier, seen "ana"; did you mean "anna"\?/,
      ],
      [`${good}approvals: { approvers: [anna] }\n`, /approvals\.approvers\[0\]: .*no notifier says whom it reaches: write person: anna/],
      [`${good}approvals: { byLink: ja }\n`, /approvals\.byLink: expected true \(whoever has the link may say yes\) or false, seen "ja"/],
    ] as const) {
      const lines = linesOf(load(text));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', want);
    }
  });

  it('U1: what is wrong about approvals lets nobody approve by a link', () => {
    for (const wrong of ['approvals: { byLink: true, approvers: [ben] }', 'approvals: { byLink: ja }', 'approvals: true']) {
      const files = textFiles({
        '/etc/q/quench.yaml': `${good}${wrong}\n`,
        '/etc/q/new.token': 'new-secret',
        '/etc/q/books/one.yaml': book,
      });
      const usable = usableConfig(readConfig('/etc/q/quench.yaml', { ...base, env, files }));
      assert.deepEqual(usable?.config.approvals, { byLink: false, approvers: [] }, wrong);
    }
  });

  it('one ladder needs no routes', () => {
    const loaded = load(exchanged(good, good.slice(good.indexOf('routes:'), good.indexOf('actions:')), ''));
    assert(loaded.ok, linesOf(loaded).join('\n'));
    assert.deepEqual(loaded.value.policy.routes, [{ when: null, ladder: 'default' }]);
  });
});

interface Wrong {
  readonly says: string;
  readonly part: string;
  readonly by: string;
  readonly want: RegExp;
}

const wrongs: readonly Wrong[] = [
  {
    says: 'a misspelt section',
    part: 'notifiers:',
    by: 'notifers:',
    want: /:7:1: notifers: unknown key "notifers"; did you mean "notifiers"\?/,
  },
  {
    says: 'a misspelt key',
    part: 'holdOff: 90s',
    by: 'holdoff: 90s',
    want: /:21:1: holdoff: unknown key "holdoff"; did you mean "holdOff"\?/,
  },
  {
    says: 'an unknown source',
    part: 'source: prometheus',
    by: 'source: promethius',
    want: /:4:13: endpoints\.prom\.source: unknown source "promethius"; did you mean "prometheus"\? known are prometheus, zabbix, nagios, newrelic/,
  },
  {
    says: 'an unknown type of notifier',
    part: 'type: console',
    by: 'type: teams',
    want: /:8:21: notifiers\.terminal\.type: unknown type of notifier "teams"; known are console, smtp, pagerduty, slack/,
  },
  {
    says: 'an unknown kind of action',
    part: '  shell: {',
    by: '  ssh: {',
    want: /:19:8: actions\.ssh: unknown kind of action "ssh".* known are shell, http, process/,
  },
  {
    says: 'an option that a source does not have',
    part: 'severityLabel: level',
    by: 'severityLable: level',
    want: /:6:\d+: endpoints\.prom\.options\.severityLable: unknown key "severityLable"; did you mean "severityLabel"\?/,
  },
  {
    says: 'an option that a notifier does not have',
    part: 'type: console',
    by: 'type: console, colour: red',
    want: /:8:\d+: notifiers\.terminal\.colour: unknown key "colour"/,
  },
  {
    says: 'a notifier without what it needs',
    part: ', routingKey: { env: PD_KEY }',
    by: '',
    want: /:9:\d+: notifiers\.oncall: expected the key "routingKey" \(an integration key of 32 letters and digits\), seen none/,
  },
  {
    says: 'a raw page to nobody that is known',
    part: 'holdOff: 90s',
    by: 'failOpen: { notify: [oncall, onkall] }',
    want: /:21:\d+: failOpen\.notify\[1\]: expected the name of a notifier, seen "onkall"; did you mean "oncall"\?/,
  },
  {
    says: 'a raw page that would come before anybody can decide',
    part: 'holdOff: 90s',
    by: 'failOpen: { after: 1s }',
    want: /:21:\d+: failOpen\.after: expected/,
  },
  {
    says: 'a spool without a unit',
    part: 'holdOff: 90s',
    by: 'spool: { bytes: 1000 }',
    want: /:21:\d+: spool\.bytes: expected a size such as 512KiB or 1MiB/,
  },
  {
    says: 'a spool that gives up at once',
    part: 'holdOff: 90s',
    by: 'spool: { age: 1s }',
    want: /:21:\d+: spool\.age: expected/,
  },
  {
    says: 'a rung that names no notifier',
    part: 'notify: terminal',
    by: 'notify: termnal',
    want: /:12:\d+: ladders\.default\.rungs\[0\]\.notify: expected the name of a notifier, seen "termnal"; did you mean "terminal"\?/,
  },
  {
    says: 'a rung without any notifier',
    part: 'notify: [oncall] }',
    by: 'notify: [] }',
    want: /:14:\d+: ladders\.night\.rungs\[0\]\.notify: expected at least one notifier/,
  },
  {
    says: 'a ladder without rungs',
    part: 'rungs: [{ notify: [oncall] }]',
    by: 'rungs: []',
    want: /:14:\d+: ladders\.night\.rungs: expected at least 1 item, seen an empty list/,
  },
  {
    says: 'a route to a ladder that is not there',
    part: 'ladder: default }',
    by: 'ladder: defualt }',
    want: /:17:\d+: routes\[1\]\.ladder: expected the name of a ladder, seen "defualt"; did you mean "default"\?/,
  },
  {
    says: 'a last route with a condition',
    part: '{ ladder: default }',
    by: '{ when: incident.storm, ladder: default }',
    want: /:17:\d+: routes\[1\]\.when: expected the last route without "when"/,
  },
  {
    says: 'a route that hides those after it',
    part: '{ when: incident.severity == "critical", ladder: night }',
    by: '{ ladder: night }',
    want: /:16:5: routes\[0\]: expected "when" on every route but the last/,
  },
  {
    says: 'a route over a name that is not there',
    part: 'incident.severity ==',
    by: 'params.severity ==',
    want: /:16:\d+: routes\[0\]\.when: expected CEL over incident, alert/,
  },
  {
    says: 'an endpoint that anyone may use',
    part: '    auth: { bearer: [{ file: new.token }, { env: OLD_TOKEN }], hmac: { env: SIGNING } }\n',
    by: '',
    want: /:\d+:\d+: endpoints\.prom: expected auth \(bearer, basic or hmac\), seen none: write auth/,
  },
  {
    says: 'an empty auth',
    part: '{ bearer: [{ file: new.token }, { env: OLD_TOKEN }], hmac: { env: SIGNING } }',
    by: '{}',
    want: /:5:11: endpoints\.prom\.auth: expected at least one of bearer, basic, hmac/,
  },
  {
    says: 'auth and none at once',
    part: '    source: prometheus',
    by: '    source: prometheus\n    allowUnauthenticated: true',
    want: /:5:27: .*expected auth or allowUnauthenticated, seen both/,
  },
  {
    says: 'a secret written out',
    part: 'hmac: { env: SIGNING }',
    by: 'hmac: hunter2hunter2',
    want: /:5:\d+: endpoints\.prom\.auth\.hmac: expected \{ env: NAME \} or \{ file: path \}, never the secret itself/,
  },
  {
    says: 'a signing secret that is no key',
    part: 'hmac: { env: SIGNING }',
    by: 'hmac: { env: OLD_TOKEN }',
    want: /:5:\d+: endpoints\.prom\.auth\.hmac: expected a key for signatures, seen something else: secret must be whsec_ and base64$/,
  },
  {
    says: 'a notifier secret written out',
    part: 'routingKey: { env: PD_KEY }',
    by: 'routingKey: hunter2hunter2',
    want: /:9:\d+: notifiers\.oncall\.routingKey: expected \{ env: NAME \} or \{ file: path \}, seen the secret itself/,
  },
  {
    says: 'a secret written out where only the schema knows that it is one',
    part: 'severityLabel: level',
    by: 'apiSecret: hunter2hunter2',
    want: /options\.apiSecret: expected \{ env: NAME \} or \{ file: path \}, seen the secret itself/,
  },
  {
    says: 'a secret in a file that is not there',
    part: 'file: new.token',
    by: 'file: gone.token',
    want: /:5:\d+: endpoints\.prom\.auth\.bearer\[0\]: expected a secret in the file gone\.token, seen none: ENOENT/,
  },
  {
    says: 'a secret in a variable that is not set',
    part: 'env: OLD_TOKEN',
    by: 'env: NO_TOKEN',
    want: /:5:\d+: .*expected the environment variable NO_TOKEN to hold the secret, seen none/,
  },
  {
    says: 'a secret of the wrong form is not shown',
    part: 'env: PD_KEY',
    by: 'env: SIGNING',
    want: /:9:\d+: notifiers\.oncall\.routingKey: expected an integration key of 32 letters and digits, seen something else$/,
  },
  { says: 'a port that is none', part: 'port: 8686', by: 'port: 86860', want: /:1:34: listen\.port: expected at most 65535, seen 86860/ },
  {
    says: 'a size that could mean two things',
    part: 'body: 512KiB',
    by: 'body: 512KB',
    want: /:22:17: limits\.body: expected a size such as 512KiB or 1MiB, seen "512KB"/,
  },
  {
    says: 'a budget of disk in which nothing would fit',
    part: 'body: 512KiB',
    by: 'disk: 10MiB',
    want: /:22:\d+: limits\.disk: expected at least 64MiB, seen less/,
  },
  {
    says: 'a hold-off without a unit',
    part: 'holdOff: 90s',
    by: 'holdOff: 90',
    want: /:21:10: holdOff: expected a span such as 90s, 10m or 1h30m, seen 90/,
  },
  {
    says: 'flapping that never stops',
    part: 'holdOff: 90s',
    by: 'flapping: { start: 20, stop: 20 }',
    want: /:21:11: flapping: expected stop below start/,
  },
  {
    says: 'a directory of playbooks that is not there',
    part: 'dir: ./books',
    by: 'dir: ./boks',
    want: /:20:19: playbooks\.dir: expected a directory of playbooks at \/etc\/q\/boks, seen none: ENOENT/,
  },
  {
    says: 'a secret of links that is written out',
    part: 'holdOff: 90s',
    by: 'api: { ackSecrets: hunter2 }',
    want: /:21:\d+: api\.ackSecrets: expected \{ env: NAME \} or \{ file: path \}, never the secret itself, or none, seen something else/,
  },
  {
    says: 'B18: a person for what a whole team reads',
    part: '{ type: console }',
    by: '{ type: smtp, host: mail, from: q@example.org, to: [a@example.org, b@example.org], person: anna }',
    want: /:8:\d+: notifiers\.terminal\.person: expected no person, seen "anna": one mail goes to 2 addresses: make a notifier for each/,
  },
  {
    says: 'B18: a person for the log of the gateway',
    part: '{ type: console }',
    by: '{ type: console, person: anna }',
    want: /:8:\d+: notifiers\.terminal\.person: expected no person, seen "anna": whoever reads the log/,
  },
  {
    says: 'B18: a person whose name would turn a line around',
    part: 'type: pagerduty,',
    by: 'type: pagerduty, person: "an\\u202ena",',
    want: /:9:\d+: notifiers\.oncall\.person: expected the name of the one person whom it reaches/,
  },
  {
    says: 'B18: a person of the name by which the gateway signs',
    part: 'type: pagerduty,',
    by: 'type: pagerduty, person: Quench,',
    want: /:9:\d+: notifiers\.oncall\.person: expected a name of your own, seen "Quench", by which the gateway signs .*: write whom it reaches, person: anna/,
  },
  {
    says: 'B18: a token of the name by which the gateway signs',
    part: 'holdOff: 90s',
    by: 'api: { tokens: { quench: { role: operate, secret: { env: OLD_TOKEN } } } }',
    want: /:21:\d+: api\.tokens\.quench: expected a name of your own, seen "quench", by which the gateway signs .*: call the token by who holds it, ops:/,
  },
];

describe('a configuration that is wrong says where and what to write', () => {
  for (const { says, part, by, want } of wrongs) {
    it(says, () => {
      const lines = linesOf(load(exchanged(good, part, by)));
      assert(
        lines.some((line) => want.test(line)),
        `expected a line like ${String(want)}, seen:\n${lines.join('\n') || '(it loaded)'}`,
      );
      for (const line of lines) assert.match(line, /^\/etc\/q\/[a-z./]+:\d+:\d+: /);
      for (const secret of ['hunter2', 'new-secret', 'old-secret', signing, key])
        assert(!lines.join('\n').includes(secret), 'a secret is in the message');
    });
  }

  it('an open endpoint loads on loopback, and on no other address', () => {
    const open = exchanged(
      good,
      'auth: { bearer: [{ file: new.token }, { env: OLD_TOKEN }], hmac: { env: SIGNING } }',
      'allowUnauthenticated: true',
    );
    const loaded = load(open);
    assert(loaded.ok, linesOf(loaded).join('\n'));
    assert.deepEqual(loaded.value.endpoints['prom']?.auth, [{ kind: 'none' }]);
    for (const host of ['0.0.0.0', '::', '192.168.1.5', '127.0.0.1.example', 'localhost.example']) {
      const lines = linesOf(load(exchanged(open, 'host: 127.0.0.1', `host: "${host}"`)));
      assert(
        lines.some((line) => line.includes('expected auth on an address that others reach')),
        host,
      );
    }
  });

  it('the problems of playbooks are told with those of quench.yaml, each in its file', () => {
    const lines = linesOf(
      load(exchanged(good, 'holdOff: 90s', 'holdof: 90s'), { '/etc/q/books/two.yaml': exchanged(book, 'shell/run', 'shell/rn') }),
    );
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[0] ?? '', /^\/etc\/q\/books\/two\.yaml:8:25: steps\[0\]\.uses: unknown action/);
    assert.match(lines[1] ?? '', /^\/etc\/q\/quench\.yaml:21:1: holdof: unknown key/);
  });

  it('a playbook that escalates to a ladder that is not there is told in the playbook', () => {
    const lines = linesOf(load(good, { '/etc/q/books/one.yaml': exchanged(book, 'ladder: night', 'ladder: nights') }));
    assert.deepEqual(lines, [
      '/etc/q/books/one.yaml:9:21: escalate.ladder: expected the name of a ladder, seen "nights"; did you mean "night"?',
    ]);
  });

  it('A15: a field mapping is CEL over the body, and nothing else', () => {
    const withMapping = (mapping: string): string => exchanged(good, '    options: {', `    mapping: ${mapping}\n    options: {`);
    const loaded = load(withMapping("{ state: \"body.kind == 'end' ? 'CLOSED' : 'CREATED'\" }"));
    assert(loaded.ok, linesOf(loaded).join('\n'));
    assert.deepEqual(loaded.value.endpoints['prom']?.mapping, { state: "body.kind == 'end' ? 'CLOSED' : 'CREATED'" });
    for (const wrong of ['{ state: "body.kind ==" }', '{ state: alert.severity }', '{ state: 7 }']) {
      assert.match(linesOf(load(withMapping(wrong)))[0] ?? '', /endpoints\.prom\.mapping\.state: expected .*CEL/, wrong);
    }
  });

  it('two endpoints for the alerts API are one too many', () => {
    const two = exchanged(good, '    options: {', '    alertsApi: true\n    options: {').replace(
      'notifiers:',
      '  more: { source: prometheus, auth: { bearer: { env: OLD_TOKEN } }, alertsApi: true }\nnotifiers:',
    );
    assert(linesOf(load(two)).some((line) => /endpoints\.more\.alertsApi: expected one endpoint with alertsApi/.test(line)));
  });

  it('a file that is not there, empty, or no mapping is told, not thrown', () => {
    const files = textFiles({ '/a.yaml': '', '/b.yaml': '- x' });
    for (const path of ['/none.yaml', '/a.yaml', '/b.yaml']) {
      const lines = linesOf(loadConfig(path, { ...base, env, files }));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', /^\/[a-z]+\.yaml:1:1: expected /);
    }
  });
});

describe('the shipped quench.yaml', () => {
  const root = new URL('../..', import.meta.url).pathname;
  const files = {
    list: diskFiles.list,
    read: (path: string) => (path.endsWith('.token') ? 'a-token-made-at-the-first-start' : diskFiles.read(path)),
  };

  it('loads with all shipped playbooks, has four authenticated endpoints and a ladder that rings', () => {
    const loaded = loadConfig(`${root}quench.yaml`, { ...base, env: {}, files });
    assert.deepEqual(linesOf(loaded), []);
    assert(loaded.ok);
    const { endpoints, policy, actions } = loaded.value;
    assert.deepEqual(Object.keys(endpoints), ['prometheus', 'zabbix', 'nagios', 'newrelic']);
    for (const endpoint of Object.values(endpoints)) assert.equal(endpoint.auth[0]?.kind, 'bearer');
    assert(policy.playbooks.length >= 7);
    assert.deepEqual(policy.ladders['default']?.rungs, [{ notify: ['terminal'], waitMs: 300_000 }]);
    assert('checkout' in (actions['process'] ?? {}));
  });

  it('says only what the defaults say, so that leaving a line out changes nothing', () => {
    const loaded = loadConfig(`${root}quench.yaml`, { ...base, env: {}, files });
    const bare = `endpoints: { a: { source: zabbix, auth: { bearer: { file: a.token } } } }\nnotifiers: { terminal: { type: console } }\nladders: { default: { rungs: [{ notify: terminal }] } }\n`;
    const least = loadConfig(`${root}bare.yaml`, {
      ...base,
      env: {},
      files: { ...files, read: (path) => (path.endsWith('bare.yaml') ? bare : files.read(path)) },
    });
    assert(loaded.ok && least.ok, linesOf(least).join('\n'));
    assert.deepEqual(loaded.value.policy, least.value.policy);
    assert.deepEqual(loaded.value.limits, least.value.limits);
    assert.deepEqual(loaded.value.listen, least.value.listen);
    assert.deepEqual(loaded.value.data, least.value.data);
  });

  it('is short enough to be read at night', () => {
    assert(diskFiles.read(`${root}quench.yaml`).trimEnd().split('\n').length <= 90);
  });
});
