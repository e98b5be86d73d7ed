// The time series of what happened (readmodel/series): points are written, sums over time are asked. Rebuildable as far as the log goes back.
//   S1  Writing is idempotent: a point that is written again, as often as may be, is there once, in its sums, too.
//   S2  Every question names the scopes that may be seen; what lies outside them is as if it were not there.
//   S3  Points are kept for a while, sums by the hour for longer, by the day for longest. An answer comes from the finest of them that goes
//       back far enough, says so, and covers whole hours or days then. Where two could answer, they say the same.
//   S4  What a store will never take (too old, or of a kind that it cannot hold) is told and not tried again; the rest of the batch is written.
//   S5  Bounded: a question with more groups than `groupsMax` is refused; it says what to ask instead.
//   S6  Texts of tags and words come back as they were written, whatever is in them, and can be nothing else than texts on their way.
import type { Instant, Millis } from '../core/time.ts';
import type { Field, Measurement, Point, Tag } from '../readmodel/series/point.ts';
import type { Every, Resolution } from '../readmodel/series/time.ts';
import type { ScopeFilter } from '../readmodel/query.ts';
import type { NoteRow } from '../readmodel/series/notes.ts';

/** How long each of them is kept. */
export interface SeriesKeep {
  readonly pointsMs: Millis;
  readonly hoursMs: Millis;
  readonly daysMs: Millis;
}

interface Asked {
  readonly measurement: Measurement;
  readonly scopes: ScopeFilter;
  /** The span, its end not included; gateway clock. */
  readonly from: Instant;
  readonly to: Instant;
  /** Only points whose tags have one of these texts, for each tag that is named. */
  readonly where?: { readonly [tag in Tag]?: readonly string[] };
}

export interface SeriesQuestion extends Asked {
  readonly field: Field;
  /** One group for each combination of their texts; without it one group for all. */
  readonly by?: readonly Tag[];
  /** One group for each hour, day or week (from Monday) in UTC; without it one for the whole span. */
  readonly every?: Every;
  /** Between 0 and 1, at most ten. Known of single points only: null in an answer that is made of sums. */
  readonly quantiles?: readonly number[];
}

export interface SeriesGroup {
  readonly tags: { readonly [tag in Tag]?: string };
  /** Where its hour, day or week begins; null without `every`. */
  readonly at: Instant | null;
  /** Points that have the field. */
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** In the order in which they were asked for: the least value that so large a share of the points does not exceed (nearest rank). */
  readonly quantiles: readonly number[] | null;
}

export interface SeriesAnswer {
  readonly resolution: Resolution;
  /** What it covers. */
  readonly from: Instant;
  readonly to: Instant;
  /** By time, then by the texts of their tags; only those with points. */
  readonly groups: readonly SeriesGroup[];
}

export interface PointsQuestion extends Asked {
  readonly limit: number;
}

export interface PointsAnswer {
  /** The oldest first. */
  readonly points: readonly Point[];
  /** Whether those are all: otherwise ask for shorter spans. */
  readonly isWhole: boolean;
}

/** Points that were not taken and never will be, and why. */
export interface Refused {
  readonly points: number;
  readonly reason: string;
}

export const groupsMax = 10_000;

export interface Series {
  /** Resolves when all that it takes is kept, and says what it does not take (S4). Rejects with `store_unavailable` when it is not known to be kept. */
  write(points: readonly Point[]): Promise<readonly Refused[]>;
  /** Rejects with `invalid_request` for what cannot be answered (S5), with `store_unavailable` when nobody answers. */
  measure(question: SeriesQuestion): Promise<SeriesAnswer>;
  /** Single points, as far back as they are kept. */
  points(question: PointsQuestion): Promise<PointsAnswer>;
  close(): Promise<void>;
}

/** What is kept of a partition. */
export interface NotebookPage {
  /** Facts below it are noted. */
  readonly offset: number;
  readonly notes: readonly NoteRow[];
}

/** Notes of things under way, with the position that they belong to. Of this process, wherever the series are. */
export interface Notebook {
  /** Offset 0 and no notes for a partition that was never saved. */
  load(partition: number): Promise<NotebookPage>;
  position(partition: number): Promise<number>;
  /** Changes notes and moves the position in one atomic step. `afresh`: all notes of before are forgotten first. */
  save(page: NotebookPage & { readonly partition: number; readonly afresh?: true }): Promise<void>;
}

/** What a keeper of time series gives. */
export interface OpenedSeries {
  readonly series: Series;
  /** Null of one that keeps nothing beside the gateway: the embedded keeper's is used then. */
  readonly notebook: Notebook | null;
  /** What opening it found and did about it, a sentence each, for the log. */
  readonly found: readonly string[];
  close(): Promise<void>;
}
