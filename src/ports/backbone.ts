// What all processes of one gateway have in common.
import type { Millis } from '../core/time.ts';
import type { Topic } from './event-log.ts';
import type { SharedRole, Shares } from './shares.ts';
import type { Store } from './store.ts';

/** What all processes of one gateway have in common. A process that is alone keeps it in its own store. */
export interface Backbone extends Pick<Store, 'log' | 'checkpoints' | 'cursors' | 'deadLetters'> {
  /** The same object for the same role. */
  shares(role: SharedRole): Shares;
  /** Whether the log forgets what is old by itself; if not, retention trims it. */
  readonly forgets: boolean;
  /** What tells it from any other, known while it is away and to all who share it; null for one that is nobody else's. */
  readonly name: string | null;
  /** Null, or what is wrong with it, in one sentence. */
  problem(): string | null;
  close(): Promise<void>;
}

/** What a backbone tells about itself, for metrics. */
export interface BackboneWatch {
  /** One append of a batch ended: after so long, durable or not. */
  appended(topic: Topic, tookMs: Millis, durable: boolean): void;
  /** The partitions of a role were shared out anew. */
  rebalanced(role: SharedRole): void;
}
