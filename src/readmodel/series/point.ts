// What the time series hold: measurements with tags, by which they are grouped, and fields, which are numbers or words beside them.
//   P1  A point is known by its measurement, its tags, `at` and `nth`: writing it again changes nothing.
//   P2  Tags are few, short and of bounded variety (tags.ts); what is different for every point is a word, never a tag.
import type { Instant } from '../../core/time.ts';

/** Tags that points of every measurement have, but for those that do not apply to it; all are texts, and none is empty. */
export const measurements = {
  /** `fired` when an alert begins, `cleared` with its duration when it ends; muted alerts are among them. */
  alert: {
    tags: ['scope', 'source', 'rule', 'severity', 'team'],
    fields: ['fired', 'cleared', 'duration_seconds', 'claims'],
    words: ['incident', 'fingerprint'],
  },
  /** What was decided about an alert when it began. */
  decision: {
    tags: ['scope', 'source', 'rule', 'severity', 'team', 'decision'],
    fields: ['count', 'score'],
    words: ['incident'],
  },
  /** One life of an incident, when it ends. Spans are from the beginning of that life, `detect_seconds` from when its source says it began. */
  incident: {
    tags: ['scope', 'source', 'rule', 'severity', 'team', 'outcome', 'playbook'],
    fields: [
      'count',
      'detect_seconds',
      'acknowledge_seconds',
      'mitigate_seconds',
      'resolve_seconds',
      'pages',
      'members',
      'untouched',
      'storm',
    ],
    words: ['incident'],
  },
  /** One run, or one refusal, when it ends. `wrong`: it acted and did not help, or left open what it did. */
  run: {
    tags: ['scope', 'rule', 'severity', 'team', 'playbook', 'mode', 'end'],
    fields: ['count', 'duration_seconds', 'acted', 'wrong', 'approved'],
    words: ['incident', 'run'],
  },
  /** `opened` when it begins to ring, `closed` when it ends. `hour_of_week`: 0 is Monday from 00:00 UTC, of its opening. */
  page: {
    tags: ['scope', 'rule', 'severity', 'team', 'ladder'],
    fields: ['opened', 'closed', 'ack_seconds', 'rings', 'hour_of_week'],
    words: ['incident', 'page', 'by'],
  },
} as const satisfies {
  readonly [measurement: string]: {
    readonly tags: readonly string[];
    readonly fields: readonly string[];
    readonly words: readonly string[];
  };
};

export type Measurement = keyof typeof measurements;

export const measurementNames = Object.keys(measurements) as readonly Measurement[]; // the keys of the table above

/** `host` is a tag only where the operator asks for it. */
export type Tag<M extends Measurement = Measurement> = (typeof measurements)[M]['tags'][number] | 'host';

export type Field<M extends Measurement = Measurement> = (typeof measurements)[M]['fields'][number];

export type Word<M extends Measurement = Measurement> = (typeof measurements)[M]['words'][number];

export interface PointOf<M extends Measurement> {
  readonly measurement: M;
  /** Gateway clock: when the fact was decided. */
  readonly at: Instant;
  /** 0 to 999,999: keeps points of one millisecond apart; of the fact's number. */
  readonly nth: number;
  readonly tags: { readonly [tag in Tag<M>]?: string };
  readonly fields: { readonly [field in Field<M>]?: number };
  readonly words: { readonly [word in Word<M>]?: string };
}

export type Point = { [M in Measurement]: PointOf<M> }[Measurement];

/** Below it is `nth` of a point. */
export const nthMax = 1_000_000;

/** Every tag that a point of the measurement may have. */
export function tagsOf(measurement: Measurement): readonly Tag[] {
  return [...measurements[measurement].tags, 'host'];
}

export function fieldsOf(measurement: Measurement): readonly Field[] {
  return measurements[measurement].fields;
}

export function wordsOf(measurement: Measurement): readonly Word[] {
  return measurements[measurement].words;
}
