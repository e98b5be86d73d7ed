import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress } from '../../../src/engine/effects/progress.ts';

test('a batch without work is done with at once', () => {
  const progress = createProgress();
  progress.place(10);
  progress.taken(15);
  assert.equal(progress.passed(), 15);
});

test('F2: a batch is passed when its work and that of every batch before has ended, in whatever order it ends', () => {
  const progress = createProgress();
  const first = progress.begin();
  progress.taken(5);
  const [second, third] = [progress.begin(), progress.begin()];
  progress.taken(9);
  progress.end(second);
  assert.equal(progress.passed(), 0);
  progress.end(first);
  assert.equal(progress.passed(), 5);
  progress.end(third);
  assert.equal(progress.passed(), 9);
});

test('work that begins behind a batch does not hold it up', () => {
  const progress = createProgress();
  progress.taken(5);
  progress.begin();
  assert.equal(progress.passed(), 5);
});

test('X5: once something was left undone nothing passes any more', () => {
  const progress = createProgress();
  const ticket = progress.begin();
  progress.taken(5);
  progress.leaveUndone();
  progress.end(ticket);
  progress.taken(9);
  assert.equal(progress.passed(), 0);
});
