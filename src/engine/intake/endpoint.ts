// Where deliveries come in.
import type { Source } from '../../ports/source.ts';

/** Where deliveries come in: a source with its configuration, and what makes the scope of its alerts. */
export interface IntakeEndpoint {
  readonly name: string;
  readonly source: Source;
  readonly tenant: string;
  /** Labels whose values part the tenant's alerts into scopes; empty = one scope per tenant. */
  readonly scopeLabels: readonly string[];
}
