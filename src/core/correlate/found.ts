// What the finders answer: where an alert belongs, and why, as data for people.

/** Why an alert is in an incident. */
export interface Evidence {
  readonly kind: 'first' | 'entity' | 'labels' | 'storm' | 'recurrence';
  /** What they share: `host:db1`, `service=checkout`, … */
  readonly shared: string;
  /** Seconds in event time between this alert and the member it was joined to. */
  readonly lagSeconds: number;
}

/** Where an alert belongs: in an open incident, or in a storm that is to be opened for it. */
export type Found =
  | { readonly kind: 'join'; readonly incident: string; readonly evidence: Evidence }
  | { readonly kind: 'storm'; readonly title: string; readonly evidence: Evidence };
