// The policy and the freeze as the desk of the partition keeps them.
import type { Frozen } from './freeze.ts';
import type { Policy } from './policy.ts';

export interface WorldRow {
  readonly policy: Policy | null;
  readonly frozen: Frozen | null;
  readonly installation: string | null;
}
