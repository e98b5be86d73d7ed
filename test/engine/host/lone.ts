// The host of partition 0 over a store that it has for itself.
import assert from 'node:assert/strict';
import { createExpressions } from '../../../adapters/cel/expressions.ts';
import { createHost, type Host, type HostDeps } from '../../../src/engine/host/host.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { VirtualClock } from '../../support/clock.ts';

/** It holds its partition for good, tells nobody anything, and takes trouble for a failed test; `around` says otherwise. */
export function loneHost({ log, checkpoints }: Store, clock: VirtualClock, around: Partial<HostDeps> = {}): Host {
  return createHost({
    partition: 0,
    log,
    checkpoints,
    expressions: createExpressions(),
    clock,
    holds: () => true,
    yieldToIntake: async () => {},
    onDecided: () => {},
    onSaved: () => {},
    onTrouble: assert.ifError,
    ...around,
  });
}
