// What is asked of the thread that keeps the time series (series-thread.ts), and what it answers.
import type { PointsAnswer, PointsQuestion, Refused, SeriesAnswer, SeriesKeep, SeriesQuestion } from '../../src/ports/series.ts';
import type { NotebookPage } from '../../src/ports/series.ts';
import type { Point } from '../../src/readmodel/series/point.ts';

export interface SeriesOptions {
  readonly path: string;
  readonly keep: SeriesKeep;
  /** Single points beyond so many are forgotten before their time, the oldest first. */
  readonly pointsMax: number;
}

interface SaveRequest extends NotebookPage {
  readonly type: 'save';
  readonly partition: number;
  readonly afresh: boolean;
}

/** `now` is read from the gateway's clock by whoever asks. */
export type SeriesRequest =
  | { readonly type: 'write'; readonly points: readonly Point[]; readonly now: number }
  | { readonly type: 'measure'; readonly question: SeriesQuestion; readonly now: number }
  | { readonly type: 'points'; readonly question: PointsQuestion; readonly now: number }
  | { readonly type: 'load'; readonly partition: number }
  | { readonly type: 'position'; readonly partition: number }
  | SaveRequest;

export interface SeriesAnswers {
  readonly write: readonly Refused[];
  readonly measure: SeriesAnswer;
  readonly points: PointsAnswer;
  readonly load: NotebookPage;
  readonly position: number;
  readonly save: null;
}

export type SeriesReply =
  | { readonly id: number; readonly ok: true; readonly answer: SeriesAnswers[SeriesRequest['type']] }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: 'invalid_request' | 'store_unavailable' | 'internal';
      readonly message: string;
    };

export type SeriesOpening =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string; readonly isDamaged: boolean; readonly isNewer: boolean };
