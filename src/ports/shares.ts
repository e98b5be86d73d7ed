// Which partitions of a role are this process's to work on.

/** `intake` is the door, `host` decides, `effects` acts and notifies, `project` keeps the read model behind the API. */
export const roles = ['intake', 'host', 'effects', 'project'] as const;

export type Role = (typeof roles)[number];

/** Work that is shared out by partition; what a process does besides it does for all partitions. */
export const sharedRoles = ['host', 'effects'] as const satisfies readonly Role[];

export type SharedRole = (typeof sharedRoles)[number];

/**
 * Which partitions of a role are this process's to work on. Two processes may believe it of one partition for a while, as when one of them was
 * frozen: hosts need no more than the log's order then, whoever acts on the world asks `holds` first.
 */
export interface Shares {
  /**
   * Begins to take part. `gained` and `lost` of one partition never overlap; neither may reject but for a bug. Whoever tries again and again in
   * `gained` asks `wanted` in between: a `lost` may be waiting.
   */
  start(told: { gained(partition: number, wanted?: () => boolean): Promise<void>; lost(partition: number): Promise<void> }): Promise<void>;
  /** Whether, by this process's own clock, nobody else can have been given the partition yet. */
  holds(partition: number): boolean;
  /** Tells others how far the role has come, for their figures of lag; best effort, nothing rests on it. */
  done(partition: number, offset: number): void;
  /** What was last told so, by whoever held the partition; a partition of which nothing was told is missing. */
  progress(): Promise<ReadonlyMap<number, number>>;
  /** Gives everything back; `lost` is not called any more. */
  stop(): Promise<void>;
}
