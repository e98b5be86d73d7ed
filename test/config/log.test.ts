// `log` and `roles` of quench.yaml with the real options of the shared log: what is right loads whole, what is wrong is told by line.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsoleConfig } from '../../adapters/console/notifier.ts';
import { connectionOf, settingsOf, type KafkaOptions } from '../../adapters/kafka/options.ts';
import { registry } from '../../adapters/registry.ts';
import { loadConfig } from '../../src/config/quench/config.ts';
import type { Config } from '../../src/config/quench/types.ts';
import { bookTo, linesOf, playbookDeps, textFiles } from './support.ts';

const rest = `endpoints: { prom: { source: prometheus, auth: { bearer: { file: in.token } } } }
notifiers: { terminal: { type: console } }
ladders: { default: { rungs: [{ notify: terminal }] } }
routes: [{ ladder: default }]
`;
const book = bookTo('default');
const secret = 'correct-horse-battery';
const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function load(log: string, vars: { readonly [name: string]: string } = { KAFKA_PASSWORD: secret }): ReturnType<typeof loadConfig> {
  const files = textFiles({
    '/etc/q/quench.yaml': `${log}\n${rest}`,
    '/etc/q/in.token': 'ingest-token-of-a-test',
    '/etc/q/kafka.password': `${secret}\n`,
    '/etc/q/ca.pem': ca,
    '/etc/q/playbooks/one.yaml': book,
  });
  const { sources, logs, stores, series, actions: actionKinds } = registry;
  return loadConfig('/etc/q/quench.yaml', {
    ...playbookDeps,
    sources,
    logs,
    stores,
    series,
    actionKinds,
    notifiers: [{ name: 'console', options: ConsoleConfig }],
    keyProblem: () => null,
    env: vars,
    files,
  });
}

/** The problems, without the folder. */
function told(result: ReturnType<typeof loadConfig>): readonly string[] {
  return linesOf(result).map((line) => line.replace('/etc/q/', ''));
}

function loaded(log: string): Config {
  const result = load(log);
  assert.deepEqual(linesOf(result), []);
  return result.ok ? result.value : assert.fail();
}

function optionsIn({ log }: Config): KafkaOptions {
  assert.equal(log?.type, 'kafka');
  // Checked by the schema while loading.
  return log.options as unknown as KafkaOptions;
}

const kafka = 'log: { type: kafka, brokers: ["a:9092"]';

describe('a shared log', () => {
  it('needs a type and brokers, and nothing else', () => {
    const config = loaded('log: { type: kafka, brokers: ["kafka-1:9092", "10.0.0.7:9093"] }');

    assert.deepEqual(optionsIn(config).brokers, ['kafka-1:9092', '10.0.0.7:9093']);
    assert.deepEqual(config.roles, ['intake', 'host', 'effects', 'project']);
    const { topics, ...settings } = settingsOf(optionsIn(config));
    assert.deepEqual(settings, { prefix: 'quench.', partitions: 6, replication: 3, createTopics: true, sessionMs: 6_000 });
    assert.deepEqual(topics, {
      inputs: 'quench.inputs',
      facts: 'quench.facts',
      desks: 'quench.desks',
      deadletter: 'quench.deadletter',
    });
  });

  it('takes everything it has a word for, secrets from files and from the environment', () => {
    const all = `log:
  type: kafka
  brokers: ["a:9092", "b:9092"]
  tls: { ca: { file: ca.pem }, serverName: kafka.internal }
  sasl: { mechanism: scram-sha-512, username: quench, password: { env: KAFKA_PASSWORD } }
  topicPrefix: ops.quench-
  partitions: 12
  replication: 2
  createTopics: false
  sessionMs: 10000`;
    const options = optionsIn(loaded(all));

    assert.deepEqual(settingsOf(options), {
      topics: { inputs: 'ops.quench-inputs', facts: 'ops.quench-facts', desks: 'ops.quench-desks', deadletter: 'ops.quench-deadletter' },
      prefix: 'ops.quench-',
      partitions: 12,
      replication: 2,
      createTopics: false,
      sessionMs: 10_000,
    });
    const { brokers, ssl, sasl } = connectionOf(options);
    assert.deepEqual(brokers, ['a:9092', 'b:9092']);
    assert.equal((ssl as { readonly ca: string }).ca.trim(), ca.trim());
    assert.equal((ssl as { readonly servername: string }).servername, 'kafka.internal');
    assert.deepEqual(sasl, { mechanism: 'scram-sha-512', username: 'quench', password: secret });
  });

  it('has a password in a file of its own, without the line end', () => {
    const config = loaded(`${kafka}, sasl: { mechanism: plain, username: u, password: { file: kafka.password } } }`);

    assert.equal(optionsIn(config).sasl?.password, secret);
  });

  it('is reached in the clear, without a login, unless it is said', () => {
    assert.deepEqual(connectionOf(optionsIn(loaded(`${kafka} }`))), { brokers: ['a:9092'], ssl: false });
    assert.equal(connectionOf(optionsIn(loaded(`${kafka}, tls: true }`))).ssl, true);
  });

  const wrong: readonly { readonly says: string; readonly log: string; readonly lines: readonly string[] }[] = [
    {
      says: 'a slip in a key',
      log: `${kafka}, partitons: 4 }`,
      lines: ['quench.yaml:1:42: log.partitons: unknown key "partitons"; did you mean "partitions"?'],
    },
    {
      says: 'an unknown key',
      log: `${kafka}, acks: 1 }`,
      lines: [
        'quench.yaml:1:42: log.acks: unknown key "acks"; known here: brokers, tls, sasl, topicPrefix, partitions, replication, createTopics, sessionMs',
      ],
    },
    { says: 'no brokers', log: 'log: { type: kafka }', lines: ['quench.yaml:1:1: log: expected the key "brokers", seen none'] },
    {
      says: 'an empty list of brokers',
      log: 'log: { type: kafka, brokers: [] }',
      lines: ['quench.yaml:1:30: log.brokers: expected at least 1 item, seen an empty list'],
    },
    {
      says: 'a broker without a port',
      log: 'log:\n  type: kafka\n  brokers: [a:9092, kafka-2]',
      lines: ['quench.yaml:3:21: log.brokers[1]: expected host:port, seen "kafka-2"'],
    },
    {
      says: 'an address instead of host:port',
      log: 'log: { type: kafka, brokers: ["kafka://a:9092"] }',
      lines: ['quench.yaml:1:31: log.brokers[0]: expected host:port, seen "kafka://a:9092"'],
    },
    {
      says: 'an address that the client cannot reach',
      log: 'log: { type: kafka, brokers: ["[::1]:9092"] }',
      lines: ['quench.yaml:1:31: log.brokers[0]: expected host:port, seen "[::1]:9092"'],
    },
    {
      says: 'a port that is too large',
      log: 'log: { type: kafka, brokers: ["a:99999"] }',
      lines: ['quench.yaml:1:31: log.brokers[0]: expected host:port, seen "a:99999"'],
    },
    {
      says: 'a password written out',
      log: `${kafka}, sasl: { mechanism: plain, username: u, password: ${secret} } }`,
      lines: [
        'quench.yaml:1:91: log.sasl.password: expected { env: NAME } or { file: path }, seen the secret itself: move it out of the file',
      ],
    },
    {
      says: 'a password that is not there',
      log: `${kafka}, sasl: { mechanism: plain, username: u, password: { env: NONE } } }`,
      lines: ['quench.yaml:1:91: log.sasl.password: expected the environment variable NONE to hold the secret, seen none'],
    },
    {
      says: 'a login without a password',
      log: `${kafka}, sasl: { mechanism: plain, username: u } }`,
      lines: ['quench.yaml:1:42: log.sasl: expected the key "password", seen none'],
    },
    {
      says: 'an unknown mechanism',
      log: `${kafka}, sasl: { mechanism: gssapi, username: u, password: { env: KAFKA_PASSWORD } } }`,
      lines: ['quench.yaml:1:61: log.sasl.mechanism: expected one of plain, scram-sha-256, scram-sha-512, seen "gssapi"'],
    },
    { says: 'no partitions', log: `${kafka}, partitions: 0 }`, lines: ['quench.yaml:1:54: log.partitions: expected at least 1, seen 0'] },
    {
      says: 'half a partition',
      log: `${kafka}, partitions: 1.5 }`,
      lines: ['quench.yaml:1:54: log.partitions: expected a whole number, seen 1.5'],
    },
    {
      says: 'a session that is too short',
      log: `${kafka}, sessionMs: 200 }`,
      lines: ['quench.yaml:1:53: log.sessionMs: expected at least 1000, seen 200'],
    },
    {
      says: 'a prefix that is no name of a topic',
      log: `${kafka}, topicPrefix: "a b/" }`,
      lines: ['quench.yaml:1:55: log.topicPrefix: expected letters, digits, ., _ and -, seen "a b/"'],
    },
    {
      says: 'a slip in the type',
      log: 'log: { type: kafak, brokers: ["a:9092"] }',
      lines: ['quench.yaml:1:14: log.type: unknown type of log "kafak"; did you mean "kafka"? known are embedded, kafka'],
    },
    {
      says: 'an unknown type',
      log: 'log: { type: nats }',
      lines: ['quench.yaml:1:14: log.type: unknown type of log "nats"; known are embedded, kafka'],
    },
    {
      says: 'options of a log whose type is not said',
      log: 'log: { brokers: ["a:9092"] }',
      lines: ['quench.yaml:1:17: log.brokers: an embedded log has no options; give `type` first'],
    },
    { says: 'a text instead of a mapping', log: 'log: kafka', lines: ['quench.yaml:1:6: log: expected a mapping, seen "kafka"'] },
  ];
  for (const { says, log, lines } of wrong) {
    it(`tells ${says} by line and column`, () => assert.deepEqual(told(load(log)), lines));
  }
});

describe('the store of a process', () => {
  it('is the first that the registry has when none is named', () => {
    assert.equal(loaded('').data.type, 'sqlite');
    assert.equal(loaded('data: { type: sqlite, dir: elsewhere }').data.dir, '/etc/q/elsewhere');
  });

  it('has a name that the registry knows', () => {
    assert.deepEqual(told(load('data: { type: sqlit }')), [
      'quench.yaml:1:15: data.type: unknown type of store "sqlit"; did you mean "sqlite"? known are sqlite',
    ]);
  });
});

describe('roles', () => {
  it('may be some of them where a log is shared', () => {
    assert.deepEqual(loaded(`roles: [intake, project]\n${kafka} }`).roles, ['intake', 'project']);
    assert.deepEqual(loaded(`roles: [host]\n${kafka} }`).roles, ['host']);
  });

  it('may all be named by a gateway that is alone', () => {
    assert.deepEqual(loaded('roles: [intake]').roles, ['intake']);
    const config = loaded('roles: [project, effects, host, intake]');

    assert.equal(config.log, null);
    assert.deepEqual(config.roles, ['project', 'effects', 'host', 'intake']);
  });

  it('may be left out by a gateway that is alone and says so', () => {
    assert.equal(loaded('log: { type: embedded }').log, null);
    assert.equal(loaded('log: {}').log, null);
  });

  const wrong: readonly { readonly says: string; readonly text: string; readonly lines: readonly string[] }[] = [
    {
      says: 'some of them with the embedded log',
      text: 'roles: [intake, project]',
      lines: [
        'quench.yaml:1:8: roles: a gateway with the embedded log is alone and does everything; leave roles out, or share a log, or write [intake] while it shall decide nothing',
      ],
    },
    {
      says: 'some of them with the embedded log, named',
      text: 'log: { type: embedded }\nroles: [host]',
      lines: [
        'quench.yaml:2:8: roles: a gateway with the embedded log is alone and does everything; leave roles out, or share a log, or write [intake] while it shall decide nothing',
      ],
    },
    { says: 'none', text: `roles: []\n${kafka} }`, lines: ['quench.yaml:1:8: roles: expected at least 1 item, seen an empty list'] },
    {
      says: 'one twice',
      text: `roles: [host, host]\n${kafka} }`,
      lines: ['quench.yaml:1:8: roles: expected every item once, seen a list of 2'],
    },
    {
      says: 'one that there is not',
      text: `roles: [host, efects]\n${kafka} }`,
      lines: ['quench.yaml:1:15: roles[1]: expected one of intake, host, effects, project, seen "efects"; did you mean "effects"?'],
    },
  ];
  for (const { says, text, lines } of wrong) {
    it(`are told when they are ${says}`, () => assert.deepEqual(told(load(text)), lines));
  }
});

it('a secret of the shared log is in no sentence', () => {
  for (const option of [`partitions: x`, `sessionMs: 1`, `sasl2: {}`]) {
    const lines = linesOf(load(`${kafka}, ${option}, sasl: { mechanism: wrong, username: u, password: { env: KAFKA_PASSWORD } } }`));
    assert.ok(lines.length > 1);
    assert.ok(!lines.join('\n').includes(secret), lines.join('\n'));
  }
});
