// The files that one broker starts from: server.properties, and certificate and users where the client listener asks for them.
// Small and quick rather than sensible: few partitions in the inner topics, and a dead broker is noticed within seconds.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../../support/certificate.ts';

export type Security = 'none' | 'sasl' | 'tls+sasl';

export interface KafkaUser {
  readonly name: string;
  readonly password: string;
}

/** One broker's three listeners: for clients, for brokers and this harness, for controllers. */
export interface Ports {
  readonly client: number;
  readonly inner: number;
  readonly controller: number;
}

export interface Plan {
  readonly dir: string;
  readonly ports: readonly Ports[];
  readonly security: Security;
  readonly users: readonly KafkaUser[];
  readonly properties: { readonly [name: string]: string };
}

/** Writes broker `id`'s properties (ids count from 1) and returns the file's path. */
export function writeProperties(plan: Plan, id: number): string {
  const path = join(plan.dir, `broker-${id}.properties`);
  const all = { ...identity(plan, id), ...quick(plan.ports.length), ...secured(plan), ...plan.properties };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600 });
  return path;
}

export function dataFolder(dir: string, id: number): string {
  return join(dir, `data-${id}`);
}

function identity(plan: Plan, id: number): { readonly [name: string]: string } {
  const { client, inner, controller } = plan.ports[id - 1] ?? assert.fail(`no ports for broker ${id}`);
  const protocol = { none: 'PLAINTEXT', sasl: 'SASL_PLAINTEXT', 'tls+sasl': 'SASL_SSL' }[plan.security];
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': plan.ports.map((ports, at) => `${at + 1}@127.0.0.1:${ports.controller}`).join(','),
    listeners: `CLIENT://127.0.0.1:${client},INNER://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${client},INNER://127.0.0.1:${inner}`,
    'listener.security.protocol.map': `CLIENT:${protocol},INNER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'INNER',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': dataFolder(plan.dir, id),
  };
}

function quick(brokers: number): { readonly [name: string]: string } {
  const copies = String(brokers);
  const least = brokers === 1 ? '1' : '2';
  return {
    'default.replication.factor': copies,
    'min.insync.replicas': least,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': least,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': least,
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'auto.create.topics.enable': 'false',
    'unclean.leader.election.enable': 'false',
    'controlled.shutdown.enable': 'true',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'controller.quorum.fetch.timeout.ms': '1000',
    'controller.quorum.election.timeout.ms': '1000',
    'replica.lag.time.max.ms': '3000',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'num.recovery.threads.per.data.dir': '1',
  };
}

function secured(plan: Plan): { readonly [name: string]: string } {
  if (plan.security === 'none') return {};
  const jaas = 'org.apache.kafka.common.security';
  const users = plan.users.map(({ name, password }) => {
    for (const text of [name, password]) assert.match(text, /^[\w-]+$/, 'a name or password that needs no quoting');
    return `user_${name}="${password}"`;
  });
  const sasl = {
    'listener.name.client.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.client.plain.sasl.jaas.config': `${jaas}.plain.PlainLoginModule required ${users.join(' ')};`,
    'listener.name.client.scram-sha-256.sasl.jaas.config': `${jaas}.scram.ScramLoginModule required;`,
    'listener.name.client.scram-sha-512.sasl.jaas.config': `${jaas}.scram.ScramLoginModule required;`,
  };
  if (plan.security === 'sasl') return sasl;
  return {
    ...sasl,
    'listener.name.client.ssl.keystore.type': 'PEM',
    'listener.name.client.ssl.keystore.location': join(plan.dir, 'listener.pem'),
  };
}

/** Makes the client listener's key and certificate; returns the path of the PEM file that clients trust. */
export function writeCertificate(dir: string): string {
  const { key, cert } = selfSigned();
  writeFileSync(join(dir, 'listener.pem'), `${key}${cert}`, { mode: 0o600 });
  writeFileSync(join(dir, 'ca.pem'), cert);
  return join(dir, 'ca.pem');
}
