// New alerts of a scope are counted by the bucket they fall into, for storms. Decides nothing.
import { metaOf, type Desk } from '../desk.ts';
import { put } from '../table.ts';

/** Counts one new alert in the bucket with this number; the fact carries the number, so that folding needs no policy. */
export function countNew(desk: Desk, bucket: number): void {
  const meta = metaOf(desk);
  const next =
    bucket === meta.bucket
      ? { bucketCount: meta.bucketCount + 1 }
      : { bucket, bucketCount: 1, previousBucketCount: bucket === meta.bucket + 1 ? meta.bucketCount : 0 };
  put(desk.tables.meta, 'desk', { ...meta, ...next });
}
