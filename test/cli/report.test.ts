// `quench report` against a real gateway, as a table, as JSON, as a file; and what it says when it is asked for what there is not.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ReportAnswer } from '../../src/readmodel/answers.ts';
import { eventually, openHouse, type House, type Said } from './support.ts';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.stop());

const send = (name: string, ...more: readonly string[]): Promise<Said> =>
  house.ask(['send', '--name', name, '--host', 'db1', '--severity', 'critical', ...more]);

describe('quench report', () => {
  it('tells of what has happened, each figure with the incidents behind it', async () => {
    await send('DiskFull');
    await eventually(
      () => house.ask(['incident', 'list', '-q']),
      ({ out }) => out !== '',
    );
    const [incident = ''] = (await house.ask(['incident', 'list', '-q'])).out.split('\n');
    await house.ask(['incident', 'resolve', incident, '--force']);
    const rowIn = ({ out }: Said): ReportAnswer['rows'][number] | undefined =>
      (JSON.parse(out) as ReportAnswer).rows.find(({ figure }) => figure === 'went on without a playbook');
    const said = await eventually(
      () => house.ask(['report', 'rules', '-o', 'json']),
      (answer) => answer.out.includes(incident) && rowIn(answer)?.of === 1,
      10_000,
    );
    const report = JSON.parse(said.out) as ReportAnswer;
    const row = rowIn(said);
    assert.deepEqual([row?.about, row?.of, row?.incidents], ['DiskFull', 1, [incident]]);
    assert.equal(report.to - report.from, 7 * 86_400_000);

    const table = await house.ask(['report', 'summary', '--since', '2h', '--zone', 'Europe/Berlin']);
    assert.match(table.out, /^ABOUT +FIGURE +VALUE +OF +INCIDENTS$/m);
    assert.match(table.out, new RegExp(`incidents +1 times +- +${incident}`));
    const file = await house.ask(['report', 'rules', '--csv']);
    assert.match(file.out, /^"about","figure","value","unit","of","upper","incidents"\n"DiskFull","fired",1,"times",,,"i/);
  });

  it('says what there is when it is asked for something else', async () => {
    const unknown = await house.ask(['report', 'weather']);
    assert.notEqual(unknown.exit, 0);
    assert.match(unknown.err, /no report of that name: there are summary, rules, people, playbooks/);
    for (const [options, says] of [
      [['--zone', 'Nowhere/Land'], /expected the name of a time zone such as Europe\/Berlin/],
      [['--since', '400d'], /single points are not kept that long/],
      [['--since', '2026-01-02T00:00Z', '--until', '2026-01-01T00:00Z'], /at least a minute after since/],
    ] as const) {
      const said = await house.ask(['report', 'summary', ...options]);
      assert.notEqual(said.exit, 0);
      assert.match(said.err, says);
    }
  });
});
