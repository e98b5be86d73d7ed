// Child process of the crash tests: appends with 16 callers until it is killed, and writes each acknowledged `offset id` to a file.
// Arguments: the store, the file of acknowledgements. Says `open` when it owns the store.
import { openSync, writeSync } from 'node:fs';
import { sqliteLimits, sqliteStore } from '../../../adapters/sqlite/store.ts';

const [path = '', ackPath = ''] = process.argv.slice(2);
const acks = openSync(ackPath, 'a');
const store = await sqliteStore({ path, partitions: 1, limits: sqliteLimits });
process.stdout.write('open\n');
let count = 0;

async function appendForEver(): Promise<void> {
  for (;;) {
    count += 1;
    const id = `${process.pid}.${count}`;
    const values = Array.from({ length: (count % 3) + 1 }, (_, index) => ({ id, index, text: 'x'.repeat(300) }));
    const offset = await store.log.append('inputs', { partition: 0, scope: 's', values });
    writeSync(acks, `${offset} ${id}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
