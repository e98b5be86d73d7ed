// Three gateways on a real broker, and things that alerts of several scopes want to have acted on: what is bounded, is bounded over all of them,
// also when the gateway that holds the desks of the resource and of the group is killed with SIGKILL.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { resourceOf, resourceScope } from '../../src/core/resource/message.ts';
import { partitionOf } from '../../src/engine/intake/scope.ts';
import { realGateway, type RealGateway } from '../process/gateway.ts';
import { ledgerConfig, startSink } from '../process/ledger.ts';
import { until } from '../senders/support.ts';
import { kafkaPresence, startKafka } from './broker/kafka.ts';
import { figures } from './cluster/chaos.ts';

const presence = kafkaPresence({ own: true });
const partitions = 4;
const actsForMs = 1_000;
/** What a gateway that is killed was running is gone by then. */
const goneWithinMs = 2_500;
const radius = 3;
const atOnce = 2;
const hosts = ['m1', 'm2', 'm3', 'm4', 'm5'] as const;

interface Span {
  readonly host: string;
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** Says when it begins and ends for which host and call. */
function stopwatchIn(folder: string): { readonly script: string; readonly spans: () => readonly Span[] } {
  const script = join(folder, 'act.sh');
  const file = join(folder, 'spans');
  const say = (word: string): string => `printf '${word} %s %s %s\\n' "$1" "$QUENCH_KEY" "$(date +%s%3N)" >> "${file}"`;
  writeFileSync(script, `#!/bin/sh\n${say('in')}\nsleep ${actsForMs / 1_000}\n${say('out')}\n`);
  chmodSync(script, 0o755);
  return {
    script,
    spans() {
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
      const words = lines.map((line) => line.split(' '));
      return words.flatMap(([word, host = '', key = '', at]) => {
        if (word !== 'in') return [];
        const out = words.find(([other, , mine]) => other === 'out' && mine === key);
        return [{ host, key, from: Number(at), to: out === undefined ? Number(at) + actsForMs + goneWithinMs : Number(out[3]) }];
      });
    },
  };
}

/** A name whose group has its desk on the partition. */
function nameOn(partition: number): string {
  for (let number = 0; ; number += 1) {
    const name = `many-${number}`;
    if (partitionOf(`group:${resourceOf('default', name)}`, partitions) === partition) return name;
  }
}

const playbook = (name: string, alert: string, script: string, guards: string): string => `apiVersion: playbook/v1
name: ${name}
version: 1.0.0
summary: Says when it acts.
owner: team/test
mode: auto
on: [{ alert: alert.name == "${alert}" }]
params: { host: { type: string, from: alert.host } }
target: { resource: "host/\${params.host}" }
guards: { cooldown: 0s, attempts: none, ${guards} }
steps:
  - { id: act, uses: shell/run, with: { argv: ["${script}", $params.host] }, timeout: 3s }
verify: { within: 5s, every: 1s, all: [resolved] }
escalate: { say: It did not help., after: 5m }
`;

async function burns({ url, token }: RealGateway, alertname: string, instance: string, team: string): Promise<void> {
  const alert = { labels: { alertname, instance, team, severity: 'critical' }, annotations: {}, startsAt: new Date().toISOString() };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify([alert]) });
  assert.equal(answer.status, 200);
}

/** The most spans that have an instant in common. */
function mostAtOnce(spans: readonly Span[]): number {
  return Math.max(0, ...spans.map(({ from }) => spans.filter((other) => other.from <= from && from < other.to).length));
}

describe('resources of three gateways', { skip: presence.skip }, () => {
  before(() => presence.demand());

  test(
    'C8, C9, C18: one at a time on a host, so many at once and so many hosts of a playbook, also when their desks lose their gateway',
    { timeout: 180_000 },
    async (t) => {
      const stops: (() => Promise<unknown> | void)[] = [];
      const folder = mkdtempSync(join(tmpdir(), 'quench-resources-'));
      stops.push(() => rmSync(folder, { recursive: true, force: true }));
      try {
        const sink = await startSink();
        stops.push(sink.close);
        const kafka = await startKafka({ brokers: 1 });
        stops.push(kafka.stop);
        const { script, spans } = stopwatchIn(folder);
        const home = partitionOf(resourceScope(resourceOf('default', 'host/db1')), partitions);
        const many = nameOn(home);
        const log = JSON.stringify({ type: 'kafka', brokers: kafka.bootstrap, partitions, replication: 1 });
        const config = `log: ${log}\nscope: { labels: [team] }\n${ledgerConfig(sink.port, script)}`;
        const playbooks = {
          'one.yaml': playbook('one', 'One', script, 'concurrency: 50, blastRadius: none'),
          'many.yaml': playbook(many, 'Many', script, `concurrency: ${atOnce}, blastRadius: ${radius} per 10m`),
        };
        const gateways: RealGateway[] = [];
        for (let number = 0; number < 3; number += 1) {
          const gateway = await realGateway({ config, playbooks, startWithinMs: 60_000 });
          writeFileSync(join(gateway.dir, 'admin.whsec'), `whsec_${Buffer.from('a secret for the test, 32 bytes.').toString('base64')}`);
          stops.push(gateway.remove, gateway.kill);
          gateways.push(gateway);
        }
        await gateways[0]?.start(); // makes the topics
        await Promise.all(gateways.slice(1).map((gateway) => gateway.start()));
        const holder = await holderOf(gateways, home);
        const door = gateways.find((gateway) => gateway !== holder);
        assert.ok(door !== undefined);
        const began = performance.now();

        const teams = ['a', 'b', 'c', 'd'].map((name) => `team-${name}`);
        for (const team of teams) await burns(door, 'One', 'db1', team);
        for (const [index, host] of hosts.entries()) await burns(door, 'Many', host, teams[index % teams.length] ?? '');
        const acted = (isMine: (host: string) => boolean): readonly Span[] => spans().filter(({ host }) => isMine(host));
        const onOne = (): readonly Span[] => acted((host) => host === 'db1');
        const onMany = (): readonly Span[] => acted((host) => host !== 'db1');
        await until('both are at work', {
          withinMs: 60_000,
          look: async () => (onOne().length > 0 && onMany().length > 0 ? true : null),
          seen: async () => JSON.stringify(spans()),
        });
        await holder.kill();
        t.diagnostic(`the gateway of partition ${home} is killed after ${Math.round(performance.now() - began)} ms`);

        await until('every scope had its turn', {
          withinMs: 100_000,
          look: async () => (onOne().length >= teams.length && onMany().length >= radius ? true : null),
          seen: async () => JSON.stringify(spans()),
        });
        t.diagnostic(`all had their turn after ${Math.round(performance.now() - began)} ms`);
        await until('the last has ended', {
          withinMs: 10_000,
          look: async () => (spans().every(({ to }) => to < Date.now()) ? true : null),
          seen: async () => '',
        });

        assert.equal(new Set(spans().map(({ key }) => key)).size, spans().length, 'nothing is done twice');
        assert.equal(onOne().length, teams.length);
        assert.equal(mostAtOnce(onOne()), 1, JSON.stringify(onOne()));
        assert.equal(new Set(onMany().map(({ host }) => host)).size, radius, JSON.stringify(onMany()));
        assert.ok(mostAtOnce(onMany()) <= atOnce, JSON.stringify(onMany()));
      } finally {
        for (const stop of stops.toReversed()) await stop();
      }
    },
  );
});

async function holderOf(gateways: readonly RealGateway[], partition: number): Promise<RealGateway> {
  return until(`somebody holds partition ${partition}, and everybody some`, {
    withinMs: 60_000,
    async look() {
      const held = await Promise.all(gateways.map((one) => figures(one, /^quench_partition_held\{role="host",partition="(\d+)"\} 1$/gm)));
      const holders = gateways.filter((_, index) => held[index]?.includes(partition) === true);
      return held.every((of) => of.length > 0) && holders.length === 1 ? (holders[0] ?? null) : null;
    },
    seen: async () => 'nobody, or several',
  });
}
