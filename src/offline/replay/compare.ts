// A range of the log through today's rules in virtual time, beside what was decided then: `quench log replay`.
// Actions are simulated, nobody is paged (world.ts). Fed is what the world said of its own accord:
//   alerts, what senders left out, silences; and by hand, as far as its incident is found again here: a resolution, and an ack while a page rings here.
// Left out is what answers the real run's own questions (claims, answers, approvals, wakes: time is virtual) or belongs to its rules (policy, commands).
//   B1  An incident of the recording goes by its alerts: its id is the number of a fact, and here other facts are counted.
//   B2  What the recording knew from before the range is told apart: it is no difference of the rules. A silence that was not set in
//       the range counts so, too; states of before that flapping rests on do only where the incident was open before.
import type { CompareAsk, LogRange } from '../../cli/command.ts';
import type { Comparison } from '../../cli/results.ts';
import type { Fact, Input } from '../../core/records.ts';
import type { Instant } from '../../core/time.ts';
import { iso } from '../../engine/instant.ts';
import { count, sorted } from './counts.ts';
import { merge } from './log-range.ts';
import { createPairs } from './pairs.ts';
import { createPresent } from './present.ts';
import { createRecording } from './recording.ts';
import type { Rules } from './replay.ts';

/** Turns the range and compares. Rejects with the signal's reason when told to stop. */
export async function compare(range: LogRange, rules: Rules, ask: Pick<CompareAsk, 'signal' | 'progress'>): Promise<Comparison> {
  const recording = createRecording();
  const present = createPresent(rules);
  const fed = new Map<string, number>();
  const leftOut = new Map<string, number>();
  let last: Instant = 0;
  let turned = 0;

  const merged = await merge(range, () => last);
  const { startAt } = merged;
  const pairs = createPairs(recording, present.ledger, merged);
  for await (const line of merged.lines) {
    ask.signal.throwIfAborted();
    if (line.topic === 'facts') {
      const fact = line.value as Fact; // written by a host
      if (recording.add(line.partition, fact, startAt) && fact.type === 'AlertDecided') pairs.was(line.partition, fact);
      continue;
    }
    const input = line.value as Input; // written by intake, effects and timers
    last = Math.max(last, input.at);
    turned += 1;
    ask.progress(turned, last);
    const saying = present.sayable(input, recording);
    count(saying === null ? leftOut : fed, input.type);
    if (saying === null) continue;
    const facts = present.say(saying);
    if (input.type === 'SilenceSet') pairs.silence(input);
    if (input.type === 'AlertSeen') pairs.now(line.partition, line.offset, input, facts);
  }
  present.forward(last);
  return {
    from: turned === 0 ? null : iso(startAt),
    to: turned === 0 ? null : iso(last),
    policy: rules.policy.digest,
    inputs: { fed: sorted(fed), leftOut: sorted(leftOut) },
    now: present.ledger.sums(),
    ...pairs.result(),
  };
}
