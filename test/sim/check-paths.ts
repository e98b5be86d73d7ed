// The rare paths: that they were taken at all ("sometimes"). A run of many seeds that never takes one of them proves nothing about it.
import { worldOf, type Desk } from '../../src/core/desk.ts';
import type { Fact } from '../../src/core/records.ts';
import type { CheckParts } from './checker.ts';
import { inputsOn } from './ledger.ts';

/** What a long run must have reached. */
export const rarePaths: readonly string[] = [
  'crash: at any time',
  'crash: at sync',
  'crash: at act',
  'crash: at acted',
  'crash: at deliver',
  'crash: at delivered',
  'crash: at append',
  'crash kept what was never acknowledged',
  'crash between grant and answer',
  'server greets slowly',
  'words called back before they left',
  'facts beyond the checkpoint at a start',
  'stopped in good order',
  'frozen',
  'frozen with a claim on its way',
  'cut off from the group',
  'deaf to the log',
  'lease ran out',
  'partition moved while both live',
  'partition taken from one that does not give it back',
  'came back and had been given up',
  'append called failed before it was durable',
  'append called failed that was durable',
  'fact repeated',
  'checkpoint fenced',
  'grant came too late',
  'granted to a process that had lost the partition',
  'cursor lost',
  'log outage',
  'input that waited for its place',
  'slow syncs',
  'sync failed',
  'append refused',
  'read refused',
  'clock jumped forward during a wait',
  'clock jumped back during a wait',
  'stale wake',
  'late answer',
  'unclaimed call',
  'unknown outcome',
  'unknown retried',
  'redelivery with id',
  'redelivery without id',
  'redelivery dropped',
  'delivery late or out of order',
  'notification repeated after a crash',
  'notifier: deferred',
  'notifier: refused',
  'notifier: unknown',
  'notifier: never',
  'notifier: late',
  'notifier: throws',
  'dropped at the grant',
  'page unreached',
  'climbed because nobody on the rung could be reached',
  'run ended succeeded',
  'run ended degraded',
  'run ended failed',
  'run ended rolled-back',
  'run ended stuck',
  'run ended unknown',
  'run ended shadowed',
  'run ended noop',
  'run ended denied',
  'run ended expired',
  'run ended cancelled',
  'run overtaken: off',
  'run overtaken: changed',
  'run overtaken: over',
  'run overtaken: taken',
  'run overtaken: muted',
  'run overtaken: frozen',
  'run overtaken: slots',
  'call waits for a slot',
  'run waits for another scope',
  'run refused by blastRadius',
  'run refused by keepHealthy',
  'run refused by cooldown',
  'run refused by attempts',
  'run refused by lock',
  'run refused by concurrency',
  'run refused by freeze',
  'frozen between request and grant',
  'policy republished',
  'paged while a playbook works',
  'paged because alerts still fire after a run',
  'page acknowledged',
  'acknowledgement timed out',
  'rang anew because a run asks for a yes',
  'rang anew because nobody answered in time',
  'second round of a ladder',
  'ladder ended',
  'incident reopened',
  'incident resolved by human',
  'incident resolved by playbook',
  'incident resolved by source',
  'silenced',
  'silence ended with its alerts',
  'mute of a source ended',
  'late claim',
  'alert taken as ended',
  'storm',
  'part of a storm',
  'page hushed by a storm',
  'out of a storm',
  'taken with a storm',
  'rang anew for a stranger',
  'held to be told together',
  'told together with others',
];

export function checkPaths({ ledger, disk, partitions }: CheckParts): { dying(atWork: number): void; end(): void } {
  ledger.watch({
    fact({ fact }, desk) {
      for (const path of pathsOf(fact, desk)) ledger.reach(path);
    },
  });
  return {
    dying(atWork) {
      if (atWork > 0) ledger.reach('crash between grant and answer');
    },
    end() {
      const spent = ledger.facts.filter(({ fact }) => fact.type === 'WakeSpent').length;
      let woke = 0;
      for (let partition = 0; partition < partitions; partition += 1)
        woke += inputsOn(disk, partition).filter(({ input }) => input.type === 'Woke').length;
      if (woke > spent) ledger.reach('stale wake');
    },
  };
}

function pathsOf(fact: Fact, desk: Desk): readonly string[] {
  const { pages } = desk.tables;
  switch (fact.type) {
    case 'RunFinished':
      return [`run ended ${fact.end}`];
    case 'RunRefused':
      return [`run refused by ${fact.guard}`];
    case 'StepFinished':
      if (fact.outcome.outcome === 'failed' && fact.outcome.error === 'unclaimed') return ['unclaimed call'];
      if (fact.outcome.outcome === 'failed' && fact.outcome.error === 'too_late') return ['grant came too late'];
      if (fact.outcome.outcome === 'failed' && fact.outcome.error === 'frozen') return ['frozen between request and grant'];
      return fact.outcome.outcome === 'unknown' ? ['unknown outcome'] : [];
    case 'RunMoved':
      return fact.why.includes('; again in') && fact.why.includes('no answer') ? ['unknown retried'] : [];
    case 'PolicyAdopted':
      return worldOf(desk).policy === null ? [] : ['policy republished'];
    case 'IncidentDecided':
      if (fact.decision === 'suppress' && fact.reason.startsWith('part of')) return ['part of a storm'];
      if (fact.decision === 'page' && fact.reason.includes('at work for')) return ['paged while a playbook works'];
      return fact.decision === 'page' && fact.reason.includes('still fire') ? ['paged because alerts still fire after a run'] : [];
    case 'PageAcked':
      return ['page acknowledged'];
    case 'PageRang': {
      const acked = pages.rows.get(fact.page)?.state === 'acked';
      return [...(acked ? ['acknowledgement timed out'] : []), ...(fact.round > 0 ? ['second round of a ladder'] : [])];
    }
    case 'IncidentNoted':
      if (fact.text.startsWith('late answer')) return ['late answer'];
      return [];
    case 'PageReachChanged':
      return fact.reach === 'exhausted' ? ['ladder ended'] : [];
    case 'IncidentReopened':
      return ['incident reopened'];
    case 'IncidentResolved':
      return [`incident resolved by ${fact.by}`];
    case 'IncidentOpened':
      return fact.storm ? ['storm'] : [];
    case 'AlertMuted':
      return fact.reason?.kind === 'silence' ? ['silenced'] : [];
    case 'SilenceChanged':
      return fact.state === 'expired' && fact.silence.untilResolved && fact.at < fact.silence.endsAt
        ? ['silence ended with its alerts']
        : [];
    case 'AlertMerged':
      if (fact.note?.includes('taken as ended') === true) return ['alert taken as ended'];
      return fact.change === 'late' ? ['late claim'] : [];
    default:
      return [];
  }
}
