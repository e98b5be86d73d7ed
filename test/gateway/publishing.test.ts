// The policy onto the log at the start of a gateway: alone it is there or nothing starts; with others a log that is away keeps no door shut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../src/core/errors.ts';
import type { Policy } from '../../src/core/playbook/policy.ts';
import { second } from '../../src/core/time.ts';
import type { NewInput } from '../../src/engine/intake/stamped-log.ts';
import { startPublishing } from '../../src/gateway/publishing.ts';
import { virtualClock, type VirtualClock } from '../support/clock.ts';
import { policyOf } from '../support/policy.ts';

interface Rig {
  readonly clock: VirtualClock;
  /** When somebody tried to submit, on the steady clock. */
  readonly tries: number[];
  readonly published: NewInput[];
  readonly warned: unknown[];
  /** What the next tries end in; then they are taken. */
  readonly refusals: Error[];
  start(): ReturnType<typeof startPublishing>;
}

const wanted = policyOf({ digest: 'sha256:wanted' });

interface Told {
  readonly shared: boolean;
  readonly inForce?: Policy | null;
  /** The name on the log. */
  readonly named?: string | null;
  /** Not every partition knows it. */
  readonly partly?: boolean;
}

function rig({ shared, inForce = null, named = 'here', partly = false }: Told): Rig {
  const clock = virtualClock();
  const made: Rig = {
    clock,
    tries: [],
    published: [],
    warned: [],
    refusals: [],
    start: () =>
      startPublishing({
        policy: wanted,
        name: 'drawn',
        shared,
        clock,
        service: { policy: () => inForce, installation: () => ({ name: named, everywhere: named !== null && !partly }) },
        intake: {
          async submit(input) {
            made.tries.push(clock.steady());
            const refusal = made.refusals.shift();
            if (refusal !== undefined) throw refusal;
            made.published.push(input);
          },
        },
        logger: { warn: ({ why }) => made.warned.push(why) },
      }),
  };
  return made;
}

const full = (): Error => new GatewayError('overloaded', 'the spool is full');
const away = (): Error => new GatewayError('log_unavailable', 'no broker answers');

for (const shared of [false, true]) {
  const who = shared ? 'one of several gateways' : 'a gateway alone';

  test(`${who} has published its policy when it goes on`, async () => {
    const made = rig({ shared });
    await made.start();

    assert.deepEqual(made.published, [{ type: 'PolicyPublished', scope: '*', policy: wanted }]);
    assert.equal(made.clock.steady(), 0, 'and waits for nothing else');
    await made.clock.forward(60 * second);
    assert.equal(made.tries.length, 1);
  });

  test(`${who} publishes no policy that is in force`, async () => {
    const made = rig({ shared, inForce: wanted });
    await made.start();
    await made.clock.forward(60 * second);

    assert.deepEqual(made.tries, []);
  });
}

test('F4: an installation without a name is named ahead of its policy, once', async () => {
  const made = rig({ shared: true, named: null });
  made.refusals.push(full());
  await Promise.all([made.start(), made.clock.forward(60 * second)]);

  assert.deepEqual(made.published, [
    { type: 'InstallationNamed', scope: '*', installation: 'drawn' },
    { type: 'PolicyPublished', scope: '*', policy: wanted },
  ]);
});

test('F4: a partition that knows no name gets the one that the others know', async () => {
  const made = rig({ shared: true, inForce: wanted, named: 'here', partly: true });
  await made.start();

  assert.deepEqual(made.published, [{ type: 'InstallationNamed', scope: '*', installation: 'here' }]);
});

test('a gateway alone does not start over a log that fails', async () => {
  const made = rig({ shared: false });
  made.refusals.push(away());

  await assert.rejects(Promise.race([made.start(), made.clock.forward(5 * second)]), /no broker answers/);
  assert.deepEqual(made.warned, []);
});

test('a shared log that takes nothing keeps the door shut for two seconds; the policy is tried until it is taken, one warning a reason', async () => {
  const made = rig({ shared: true });
  made.refusals.push(full(), full(), full(), away(), away());
  let isOpen = false;
  void made.start().then(() => (isOpen = true));
  await made.clock.forward(2 * second - 1);
  assert.equal(isOpen, false);
  await made.clock.forward(1);
  assert.equal(isOpen, true);

  await made.clock.forward(60 * second);

  assert.deepEqual(made.tries, [0, 2_000, 4_000, 6_000, 8_000, 10_000]);
  assert.equal(made.published.length, 1);
  assert.deepEqual(made.warned, ['the spool is full', 'no broker answers']);
});

test('a shared log that does not answer at all keeps the door shut for two seconds', async () => {
  const clock = virtualClock();
  const never = Promise.withResolvers<void>();
  let isOpen = false;
  void startPublishing({
    policy: wanted,
    name: 'drawn',
    shared: true,
    clock,
    service: { policy: () => null, installation: () => ({ name: 'here', everywhere: true }) },
    logger: { warn: () => {} },
    intake: { submit: () => never.promise },
  }).then(() => (isOpen = true));
  await clock.forward(2 * second);

  assert.equal(isOpen, true);
});

test('a gateway that stops tries no more', async () => {
  const made = rig({ shared: true });
  for (let nth = 0; nth < 100; nth += 1) made.refusals.push(full());
  let stop: () => Promise<void> = () => assert.fail('the door is still shut');
  void made.start().then((how) => (stop = how));
  await made.clock.forward(3 * second);
  await stop();
  await made.clock.forward(60 * second);

  assert.deepEqual(made.tries, [0, 2_000]);
});
