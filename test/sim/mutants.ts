// The promise, mutated: worlds in which one guard is taken out by something put between the real parts. A checker that finds
// nothing in them proves nothing about the gateway, so each must be caught within a few hundred seeds.
import { createService } from '../../src/engine/service.ts';
import {
  ahead,
  alone,
  answering,
  apart,
  blind,
  eager,
  forgetful,
  forgingGrants,
  forgingWords,
  grantingTwice,
  hearing,
  impatient,
  losing,
  lying,
  oblivious,
  onlyEarly,
  renumbered,
  sameInEveryTerm,
  sharing,
  sleeping,
  toAcknowledgements,
  toFreezes,
  toPeople,
  trusting,
  twice,
  uncorrected,
  unfenced,
  forgiving,
  unlearning,
  unrenewed,
  ungranted,
  boundless,
  deafToCompanions,
  covering,
  holding,
  withLog,
  withoutBundles,
  withoutLeaders,
  withoutReach,
  withoutRungs,
} from './lies.ts';
import type { Tampering } from './life.ts';

export interface Mutant {
  /** What is broken. */
  readonly says: string;
  readonly tampering: Tampering;
  /** Of the breaches that must be found; another one first would be luck. */
  readonly caught: RegExp;
}

export const mutants: readonly Mutant[] = [
  {
    says: 'effects that act as soon as a step is requested, without waiting for the grant',
    tampering: lying({ effects: withLog(forgingGrants) }),
    caught: /^X1: .* without a grant/,
  },
  {
    says: 'a worker that has the name of the one before it',
    tampering: { worker: () => 'worker' },
    caught: /^X1: .* was done 2 times|^X1: .* when the log had ended it/,
  },
  {
    says: 'an executor that tries again what may have happened',
    tampering: {
      executor: (real) => ({
        slot: (lane, how) => real.slot(lane, how),
        async act(uses, request, how) {
          const outcome = await real.act(uses, request, how);
          return outcome.outcome === 'unknown' ? await real.act(uses, request, how) : outcome;
        },
        close: () => real.close(),
      }),
    },
    caught: /^X1: .* was done 2 times/,
  },
  {
    says: 'a host that does not skip the facts that are on the log already (H1)',
    tampering: lying({
      host: withLog((log) => ({ ...log, read: (topic, ...rest) => (topic === 'facts' ? Promise.resolve([]) : log.read(topic, ...rest)) })),
    }),
    caught: /^H1: fact/,
  },
  {
    says: 'a log that acknowledges deliveries before they are durable',
    tampering: {
      intakeLog: (log) => ({
        ...log,
        async append(topic, batch) {
          log.append(topic, batch).catch(() => {});
          return log.end(topic, batch.partition);
        },
      }),
    },
    caught: /^A1: .* was accepted and is not on the log/,
  },
  {
    says: 'a door that forgets the delivery ids of senders',
    tampering: { deliveryId: () => '' },
    caught: /^A2: /,
  },
  {
    says: 'timers that now and then forget a wait',
    tampering: lying({ host: ({ clock }) => ({ clock: forgetful(clock) }) }),
    caught: /^W[12]: .* (never answered|late)|^B1|^I2|^R3/,
  },
  {
    says: 'timers that run on the wall clock',
    tampering: lying({ host: ({ clock }) => ({ clock: { ...clock, steady: () => clock.now() } }) }),
    caught: /^(W1|R7): /,
  },
  {
    says: 'a checkpoint that loses a row',
    tampering: lying({ host: ({ shared }) => ({ shared: { ...shared, checkpoints: losing(shared.checkpoints) } }) }),
    caught: /^L3: /,
  },
  {
    says: 'a projection whose cursor moves before its documents',
    tampering: lying({ project: ({ local }) => ({ local: { ...local, views: eager(local.views, local.cursors) } }) }),
    caught: /^J1: /,
  },
  {
    says: 'effects whose cursor runs ahead of what they have handed over',
    tampering: lying({ effects: ({ shared }) => ({ shared: { ...shared, cursors: ahead(shared) } }) }),
    caught: /^X2: after a restart/,
  },
  {
    says: 'answers of notifiers that are taken for granted',
    tampering: { service: (deps) => createService(answering(deps, { outcome: 'accepted', detail: '' })) },
    caught: /^P4: .* counts as accepted and never arrived/,
  },
  {
    says: 'rings after an acknowledgement under the key that was acknowledged (P9)',
    tampering: {
      service: (deps) =>
        createService({
          ...deps,
          withLinks: ({ era: _era, formerEras: _former, ...notification }) => deps.withLinks(notification),
        }),
    },
    caught: /^P9: /,
  },
  {
    says: 'ladders that nobody climbs while every notifier puts us off',
    tampering: {
      service: (deps) => apart(answering(deps, { outcome: 'deferred', retryAfterMs: 0, detail: 'later' }), { host: withLog(withoutRungs) }),
    },
    caught: /^P4: page .* reached nobody/,
  },
  {
    says: 'a frozen process that acts when it thaws without asking whether the partition is still its own',
    tampering: crowded(lying({ effects: sharing(() => ({ holds: () => true })) })),
    caught: /^X4: /,
  },
  {
    says: 'a process that takes the grants of its earlier terms for its own',
    tampering: crowded(lying({ effects: withLog((log, { worker }) => sameInEveryTerm(log, worker)) })),
    caught: /^X1: .* was done 2 times|^X1: .* when the log had ended it/,
  },
  {
    says: 'a worker that begins however long ago it claimed',
    tampering: crowded(lying({ effects: ({ clock }) => ({ clock: { ...clock, steady: () => 0 } }) })),
    caught: /^X1: .* when the log had ended it/,
  },
  {
    says: 'effects that take a repeated fact for a new one',
    tampering: crowded(lying({ effects: withLog(renumbered) })),
    caught: /^X1: .* was done 2 times/,
  },
  {
    says: 'checkpoints that anybody may save who loaded them once',
    tampering: crowded({ shared: unfenced }),
    caught: /^L[34]: /,
  },
  {
    says: 'two hosts of one partition in one process (N1)',
    tampering: lying({ host: sharing((real) => ({ start: (told) => real.start(twice(told)) })) }),
    caught: /^(H1: fact|L[34]:) /,
  },
  {
    says: 'grants of steps that do not ask whether a person has it',
    tampering: lying({ host: blind(toPeople) }),
    caught: /^V1: .* although \S+ has it/,
  },
  {
    says: 'effects that tell people as soon as a notification is requested, without waiting for the grant',
    tampering: lying({ effects: withLog(forgingWords) }),
    caught: /^P5: .* (was sent without a grant|was sent \d+ times for \d+ grants)/,
  },
  {
    says: 'notifications that are granted twice for one claim',
    tampering: lying({ host: () => ({ turn: grantingTwice }) }),
    caught: /^P5: .* was granted more often than it was claimed/,
  },
  {
    says: 'grants of notifications that do not ask whether somebody has it',
    tampering: lying({ host: () => ({ turn: toAcknowledgements }) }),
    caught: /^G1: .* is granted while the page is acked/,
  },
  {
    says: 'grants of steps that do not ask for the emergency stop',
    tampering: lying({ host: blind(toFreezes) }),
    caught: /^R4: .* was granted while frozen/,
  },
  {
    says: 'desks that stay ahead of a clock that was set right',
    tampering: lying({ host: withLog(uncorrected) }),
    caught: /^K3: /,
  },
  {
    says: 'leases that nobody looks at when they are over',
    tampering: lying({ host: hearing(({ until: _until, ...event }) => event) }),
    caught: /^L2: .* fires \d+ ms after its source has ended to vouch for it/,
  },
  {
    says: 'ends of a mute that its source said, and for which nobody wakes',
    tampering: lying({ host: () => ({ turn: sleeping }) }),
    caught: /^E2: .* is held back \d+ ms after the end/,
  },
  {
    says: 'leases that are not renewed',
    tampering: lying({ host: hearing(unrenewed()) }),
    caught: /^L2: .* is taken as ended \d+ ms before/,
  },
  {
    says: 'people who took it before anybody was called, and whom nobody asks again (K4)',
    tampering: lying({ host: () => ({ turn: forgiving }) }),
    caught: /^K4: .* nobody was called since/,
  },
  {
    says: 'senders that repeat and of whom nobody learns it',
    tampering: { ...lying({ host: () => ({ turn: unlearning }) }), isLong: true },
    caught: /^S1: .* fires after \d+ ms in which nobody told of it/,
  },
  {
    says: 'clocks of senders that are believed',
    tampering: lying({ host: () => ({ turn: trusting }) }),
    caught: /^K1: /,
  },
  {
    says: 'episodes that are forgotten when they have ended',
    tampering: lying({ host: () => ({ turn: oblivious }) }),
    caught: /^E3: .* (opened|reopened) with episode \d+/,
  },
  {
    says: 'claims whose episodes nobody reads',
    tampering: lying({ host: hearing(({ episodeOrder: _order, ...event }) => ({ ...event, episode: '' })) }),
    caught: /^E3: /,
  },
  {
    says: 'rings that nobody calls back while their server greets (X8)',
    tampering: { service: (deps) => createService(holding(deps)) },
    caught: /^G1: .* left \d+ ms after/,
  },
  {
    says: 'pages that wait for a vendor that is down',
    tampering: lying({ host: withLog(withoutReach) }),
    caught: /^P4: .* has told nobody, and nobody was tried for/,
  },
  {
    says: 'ends that are told once, whether their vendor takes them or not',
    tampering: lying({ host: () => ({ turn: impatient }) }),
    caught: /^P4: .* says that it is over, and was given up/,
  },
  {
    says: 'ends that leave open what a vendor keeps of earlier eras',
    tampering: {
      service: (deps) =>
        createService({
          ...deps,
          withLinks: ({ formerEras, ...notification }) =>
            deps.withLinks(notification.kind === 'resolve' || formerEras === undefined ? notification : { ...notification, formerEras }),
        }),
    },
    caught: /^P9: .* stays open at its vendor/,
  },
  {
    says: 'runs that begin without a grant of their resource (C8)',
    tampering: lying({ host: ungranted }),
    caught: /^Q1: .* acted on .* while|^Q2: /,
  },
  {
    says: 'groups that let everybody through (C9, C18)',
    tampering: lying({ host: boundless }),
    caught: /^Q[678]: /,
  },
  {
    says: 'rings that wait for others and are never told (U1)',
    tampering: lying({ host: withLog(withoutBundles) }),
    caught: /^U1: /,
  },
  {
    says: 'companions of a message that nobody rings for once its leader is over (U3)',
    tampering: lying({ host: withLog(withoutLeaders) }),
    caught: /^U3: /,
  },
  {
    says: 'messages that nobody calls back for what they tell besides (X8)',
    tampering: lying({ effects: withLog(deafToCompanions) }),
    caught: /^G1: .* tells \S+, too, and left/,
  },
  {
    says: 'storms that forget what they speak for (S2)',
    tampering: { ...lying({ host: () => ({ turn: alone }) }), isStormy: true },
    caught: /^S2: .* speaks for it no longer/,
  },
  {
    says: 'acknowledgements that cover whatever was muted or comes later (K8)',
    tampering: lying({ host: () => ({ turn: covering }) }),
    caught: /^K8: /,
  },
  {
    says: 'a process that takes up no partition of another one',
    tampering: crowded(lying({ host: sharing((real, { clock }) => ({ start: (told) => real.start(onlyEarly(told, clock)) })) })),
    caught: /^N2: /,
  },
];

/** Worlds in which a mutant must be found. */
export const worldsMax = 300;

function crowded(tampering: Tampering): Tampering {
  return { ...tampering, isCrowded: true };
}
