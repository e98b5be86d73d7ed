// Time series in memory, as the contract asks.
import { memorySeries, seriesContent } from '../../../adapters/memory/series.ts';
import { notebookContract, seriesContract, seriesKeep } from '../../contracts/series.ts';

seriesContract('memory', async (clock) => {
  const content = seriesContent();
  const open = () => memorySeries({ content, keep: seriesKeep, clock }).series;
  return { series: open(), reopen: async () => open(), destroy: async () => {} };
});

notebookContract('memory', async () => {
  const content = seriesContent();
  const open = () => memorySeries({ content, keep: seriesKeep, clock: { now: () => 0 } }).notebook;
  return { notebook: open(), reopen: async () => open(), destroy: async () => {} };
});
