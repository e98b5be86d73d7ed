// The policy and the freeze as the desk of the partition keeps them.
import type { Policy } from './policy.ts';

export interface WorldRow {
  readonly policy: Policy | null;
  readonly frozen: { readonly by: string; readonly reason: string } | null;
  readonly installation: string | null;
}
