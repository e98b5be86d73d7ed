// A storm that clears whole, and a critical alert that comes behind it: how long the main thread is held, in all and at a time, and after how
// long the critical is decided. With the lane for what is urgent and without it, in turn, in one process that has the engine inside.
// Run: node bench/storm-clears.ts [members, 60000] [rounds, 2]
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/gateway/clock.ts';
import { createTurner } from '../src/engine/host/turner.ts';
import { createExpressions } from '../adapters/cel/expressions.ts';
import { prometheus } from '../adapters/prometheus/source.ts';
import type { AlertSeen } from '../src/core/alert/facts.ts';
import { everyScope } from '../src/core/stamp.ts';
import { policyOf } from '../test/support/policy.ts';
import { deliver, startInside, type Inside } from './inside.ts';
import { table } from './support.ts';

const members = Number(process.argv[2] ?? 60_000);
const rounds = Number(process.argv[3] ?? 2);
const batch = 64;
const senders = 16;
const began = Date.now();

function bodyOf(status: 'firing' | 'resolved', first: number, count: number, kind = { alertname: 'HostDown', severity: 'error' }): string {
  const alerts = Array.from({ length: count }, (_, place) => ({
    status,
    labels: { ...kind, instance: `h${first + place}.example.org:9100`, region: 'eu-west-1' },
    annotations: { summary: `h${first + place} does not answer` },
    startsAt: new Date(began).toISOString(),
    endsAt: status === 'resolved' ? new Date().toISOString() : '0001-01-01T00:00:00Z',
  }));
  return JSON.stringify({ version: '4', groupKey: 'g', status, receiver: 'quench', alerts });
}

/** The turning alone, in slices as the host turns them: CPU in all, and of the longest slice. */
function turning(): { readonly fireMs: number; readonly clearMs: number; readonly longestMs: number } {
  const turner = createTurner({ clock: systemClock, expressions: createExpressions(), onChanged: () => {} });
  turner.reset();
  let offset = 0;
  const source = prometheus({});
  const turn = (inputs: readonly object[], scope: string): { readonly cpuMs: number; readonly longestMs: number } => {
    const records = inputs.map((value) => ({ partition: 0, offset: offset++, scope, value }));
    let [cpuMs, longestMs] = [0, 0];
    for (let at = 0; at < records.length; at = turner.offset - (records[0]?.offset ?? 0)) {
      const cpu = process.threadCpuUsage();
      turner.turn(records.slice(at, at + 256));
      const { user, system } = process.threadCpuUsage(cpu);
      cpuMs += (user + system) / 1_000;
      longestMs = Math.max(longestMs, (user + system) / 1_000);
    }
    return { cpuMs, longestMs };
  };
  const seen = (status: 'firing' | 'resolved'): readonly AlertSeen[] => {
    const at = Date.now();
    const inputs: AlertSeen[] = [];
    for (let first = 0; first < members; first += 1_000) {
      const parsed = source.parse({ headers: {}, body: bodyOf(status, first, 1_000), path: '', receivedAt: at });
      if (!parsed.ok) throw new Error(parsed.error.message);
      for (const [index, event] of parsed.value.events.entries())
        inputs.push({ type: 'AlertSeen', scope: 'default', at, endpoint: 'prometheus', delivery: '', index, event });
    }
    return inputs;
  };
  turn([{ type: 'PolicyPublished', scope: everyScope, at: Date.now(), policy: policyOf() }], everyScope);
  const fire = turn(seen('firing'), 'default');
  const clear = turn(seen('resolved'), 'default');
  return { fireMs: fire.cpuMs, clearMs: clear.cpuMs, longestMs: clear.longestMs };
}

async function send(inside: Inside, bodies: readonly string[]): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const { status } = await deliver(inside, body);
      if (status !== 'accepted') throw new Error(`a delivery was ${status}`);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
}

const bodies = (status: 'firing' | 'resolved'): readonly string[] =>
  Array.from({ length: Math.ceil(members / batch) }, (_, place) => bodyOf(status, place * batch, batch));

/** CPU of the main thread from one round of its loop to the next: what nobody else is served in, whatever the machine does beside. */
function watchStretches(): () => number {
  let isOn = true;
  let longest = 0;
  let last = process.threadCpuUsage();
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1_000);
    last = process.threadCpuUsage();
    if (isOn) setTimeout(look, 1);
  };
  look();
  return () => {
    isOn = false;
    return longest;
  };
}

interface Storm {
  readonly acceptMs: number;
  readonly clearedMs: number;
  readonly longestMs: number;
  readonly urgentMs: number;
  readonly before: number;
}

async function storm(lanes: boolean): Promise<Storm> {
  const decided = { all: 0, beforeUrgent: 0 };
  const urgent = Promise.withResolvers<number>();
  const inside = await startInside([], undefined, {
    lanes,
    decided(fact) {
      if (fact.type !== 'AlertDecided') return;
      decided.all += 1;
      if (fact.fingerprint === fingerprint) urgent.resolve(performance.now());
    },
  });
  const body = bodyOf('firing', 1_000_000, 1, { alertname: 'DatabaseDown', severity: 'critical' });
  const parsed = prometheus({}).parse({ headers: {}, body, path: '', receivedAt: Date.now() });
  const fingerprint = parsed.ok ? (parsed.value.events[0]?.fingerprint ?? '') : '';
  const count = Math.ceil(members / batch) * batch;
  await send(inside, bodies('firing'));
  while (decided.all < count) await sleep(50);
  await sleep(2_000);
  const cleared = bodies('resolved');
  decided.all = 0;
  const start = performance.now();
  const longest = watchStretches();
  await send(inside, cleared);
  const acceptMs = performance.now() - start;
  const before = decided.all;
  const sent = performance.now();
  await deliver(inside, body, 'other');
  const urgentMs = (await urgent.promise) - sent;
  while (decided.all < count + 1) await sleep(20);
  const clearedMs = performance.now() - start;
  const longestMs = longest();
  await inside.stop();
  return { acceptMs, clearedMs, longestMs, urgentMs, before: count - before };
}

const core = turning();
const rows: (readonly (string | number)[])[] = [];
for (const lanes of Array.from({ length: 2 * rounds }, (_, round) => round % 2 === 1)) {
  const { acceptMs, clearedMs, longestMs, urgentMs, before } = await storm(lanes);
  const ms = [acceptMs, clearedMs, longestMs, urgentMs].map(Math.round);
  rows.push([lanes ? 'what is urgent first' : 'in the order of arrival', before, ...ms]);
}
console.log(
  `${members} members. Turning alone: ${Math.round(core.fireMs)} ms of CPU to open, ${Math.round(core.clearMs)} ms to clear them all, the longest slice of clears ${core.longestMs.toFixed(1)} ms.\n`,
);
console.log(
  table(
    ['storm that clears', 'clears ahead', 'accepted in ms', 'decided in ms', 'longest stretch, ms of CPU', 'critical decided ms'],
    rows,
  ),
);
