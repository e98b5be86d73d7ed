// A toy that keeps time series: beyond the process nothing of them is left.
import type { SeriesKind } from '../../../../adapters/kit/kinds.ts';
import { memorySeries, seriesContent, type SeriesContent } from '../../../../adapters/memory/series.ts';

const jars = new Map<string, SeriesContent>();

export const jarSeries: SeriesKind = {
  name: 'jar',
  options: {
    type: 'object',
    additionalProperties: false,
    required: ['label'],
    properties: { label: { type: 'string', minLength: 1 }, lid: { type: 'string', writeOnly: true } },
  },
  async open({ label }, { keep, clock }) {
    return memorySeries({ content: contentOf(String(label)), keep, clock });
  },
};

/** What is in a jar, for who wants to look. */
export function contentOf(label: string): SeriesContent {
  const content = jars.get(label) ?? seriesContent();
  jars.set(label, content);
  return content;
}
