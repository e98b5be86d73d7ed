import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStops } from '../../src/gateway/stops.ts';

test('parts stop in the reverse of their order, whatever one of them does, and once', async () => {
  const story: string[] = [];
  const stops = createStops({ error: ({ error }) => void story.push(String(error)) });
  stops.add(async () => void story.push('store'));
  stops.add(() => Promise.reject(new Error('engine is stuck')));
  stops.add(() => {
    throw new Error('door throws');
  });
  await stops.all();
  await stops.all();
  assert.deepEqual(story, ['Error: door throws', 'Error: engine is stuck', 'store']);
});
