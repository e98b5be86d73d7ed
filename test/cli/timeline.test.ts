// How the story of an incident reads.
import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Terminal } from '../../src/cli/terminal.ts';
import { timelineLines, type Entry } from '../../src/cli/timeline.ts';
import { systemClock } from '../../src/gateway/clock.ts';

const stdout = new PassThrough();
const terminal: Terminal = {
  env: {},
  stdin: Readable.from([]),
  stdout,
  stderr: stdout,
  clock: systemClock,
  signal: new AbortController().signal,
};

let seq = 0;
function entry(seconds: number, type: string, text: string, more: Partial<Entry> = {}): Entry {
  seq += 1;
  return { seq, at: 1_000_000 + seconds * 1_000, type, text, run: '', call: '', end: '', output: '', ...more };
}
const asked = (seconds: number, call: string, text: string): Entry => entry(seconds, 'StepRequested', text, { run: 'r1', call });
const finished = (seconds: number, call: string, text: string): Entry => entry(seconds, 'StepFinished', text, { run: 'r1', call });
const moved = (seconds: number, text: string): Entry => entry(seconds, 'RunMoved', text, { run: 'r1' });

const story = [
  entry(0, 'IncidentOpened', 'opened: checkout is down'),
  entry(1, 'RunStarted', 'playbook restart 1.0.0 starts on checkout (auto)', { run: 'r1' }),
  asked(1, 'steps/restart/1', 'steps restart: process/restart'),
  finished(3, 'steps/restart/1', 'steps restart: ok after 2s'),
  moved(3, 'looks: http/probe'),
  asked(3, 'verify/proof1/1', 'verify proof1: http/probe'),
  finished(4, 'verify/proof1/1', 'verify proof1: failed (status: answered 503) after 12ms'),
  moved(4, 'http/probe: answered 503'),
  moved(9, 'looks: http/probe'),
  asked(9, 'verify/proof1/2', 'verify proof1: http/probe'),
  finished(10, 'verify/proof1/2', 'verify proof1: failed (status: answered 503) after 9ms'),
  moved(10, 'http/probe: answered 503'),
  entry(100, 'PageRang', 'rung 1 rings'),
  asked(3_700, 'verify/proof1/3', 'verify proof1: http/probe'),
];

describe('timeline', () => {
  it('joins a call with its answer, says once what a run repeats, indents what a run does, counts from the beginning', () => {
    assert.deepEqual(timelineLines(terminal, story, false), [
      '   +0s  opened: checkout is down',
      '   +1s  playbook restart 1.0.0 starts on checkout (auto)',
      '   +3s    steps restart: process/restart: ok after 2s',
      '   +3s    looks: http/probe (2 times, the last +9s)',
      '   +4s    verify proof1: http/probe: failed (status: answered 503) after 12ms (2 times, the last +10s)',
      '   +4s    http/probe: answered 503 (2 times, the last +10s)',
      '+1m40s  rung 1 rings',
      ' +1h1m    verify proof1: http/probe …',
    ]);
  });

  it('E1: shows the last lines of what a call gave below it, the newest of what is said again, and more of them when every entry is asked for', () => {
    const lines = Array.from({ length: 8 }, (_, index) => `line ${index + 1}\u001b[2J`).join('\n');
    const told = [
      entry(0, 'IncidentOpened', 'opened: disk'),
      asked(1, 'diagnose/disk/1', 'diagnose disk: shell/check'),
      { ...finished(2, 'diagnose/disk/1', 'diagnose disk: ok after 3ms'), output: 'old' },
      asked(3, 'diagnose/disk/2', 'diagnose disk: shell/check'),
      { ...finished(4, 'diagnose/disk/2', 'diagnose disk: ok after 4ms'), output: lines },
    ];
    assert.deepEqual(timelineLines(terminal, told, false), [
      ' +0s  opened: disk',
      ' +2s    diagnose disk: shell/check: ok after 3ms (2 times, the last +4s)',
      ...[4, 5, 6, 7, 8].map((each) => `        | line ${each}\\x1b[2J`),
    ]);
    const every = timelineLines(terminal, told, true);
    assert.equal(every.filter((line) => line.includes('| ')).length, 9);
  });

  it('tells every entry by itself when asked to', () => {
    assert.equal(timelineLines(terminal, story, true).length, story.length);
  });
});
