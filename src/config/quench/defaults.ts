// Everything that quench.yaml need not say, in one place; playbooks have theirs in config/playbook/build.ts.
import { day, hour, minute, second } from '../../core/time.ts';

/** What the gateway does when quench.yaml does not say. */
export const configDefaults = {
  listen: { host: '127.0.0.1', port: 8686 },
  metrics: 'open',
  dataDir: './data',
  playbooksDir: './playbooks',
  tenant: 'default',
  reconcile: { everyMs: 5 * minute, unheardMs: 2 * minute, graceMs: 3 * minute },
  limits: {
    bodyBytesMax: 1_048_576,
    listBytesMax: 16_777_216,
    bufferedBytesMax: 67_108_864,
    connectionsMax: 1_024,
    streamsMax: 200,
    queueRecordsMax: 10_000,
    queueBytesMax: 67_108_864,
    backlogMax: 100_000,
    deadLettersMax: 10_000,
    retentionMs: 30 * day,
  },
  rungWaitMs: 5 * minute,
  ladder: { repeat: 2, ackTimeoutMs: 30 * minute },
  grouping: { windowMs: 5 * minute, labels: [], reopenMs: 10 * minute, membersMax: 500 },
  storm: { alerts: 100, withinMs: minute },
  flap: { startPercent: 30, stopPercent: 20, steadyMs: 5 * minute },
  paging: { severity: 'error', score: 0.3 },
  settleMs: 15 * second,
  holdOffMs: 2 * minute,
  staleMs: 3 * day,
  spool: { bytesMax: 268_435_456, ageMaxMs: hour },
  drainMs: 20 * second,
  failOpenAfterMs: 2 * minute,
  keepTryingMs: day,
  reload: 'auto',
  bundleMs: 30 * second,
} as const;
