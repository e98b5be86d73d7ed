// A process that loads a partition's desks and saves them over and over, until it is killed: brokers, prefix and the last save's number are its arguments.
// Every row and the mark carry the save's number; it says on stdout which save has ended.
import { open } from './support.ts';

/** So much that a save takes several requests, between which a kill may fall. */
const rowsPerSave = 600;
const rowChars = 15_000;
const [brokers = '', topicPrefix = '', last = '0'] = process.argv.slice(2);

const { backbone } = await open({ bootstrap: brokers.split(','), brokers: [null] }, { topicPrefix });
await backbone.checkpoints.load(0, () => {});
// A mark is never past the end of the log.
await backbone.log.append('inputs', { partition: 0, scope: 'team', values: Array.from({ length: 2_000 }, () => ({ type: 'Test' })) });
for (let count = Number(last) + 1; ; count += 1) {
  const rows = Array.from({ length: rowsPerSave }, (_, row) => ({
    scope: 'team',
    table: 'alerts',
    key: String(row),
    doc: { count, pad: 'x'.repeat(rowChars) },
  }));
  await backbone.checkpoints.save(0, { inputs: count, facts: 0 }, rows);
  process.stdout.write(`${count}\n`);
}
