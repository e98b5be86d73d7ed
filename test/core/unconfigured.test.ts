// Alerts that were taken in before any configuration was in force: the first gateway of an installation only takes in, the one that decides
// comes later, and whoever has to be called is called.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minute, second } from '../../src/core/time.ts';
import { noPolicy } from '../../src/engine/host/no-policy.ts';
import { eventOf } from '../support/event.ts';
import { policyOf } from '../support/policy.ts';
import { tell } from '../support/story.ts';

for (const waited of [0, 5 * second, 11 * second, 10 * minute, 26 * 60 * minute]) {
  test(`B5: what came ${waited / second} s before the first policy is paged once that is in force`, () => {
    const story = tell(noPolicy);
    story.see(eventOf({ severity: 'critical' }));
    assert.equal(story.last('AlertDecided').decision, 'hold');
    story.see(eventOf({ severity: 'critical' }));
    story.forward(waited);
    assert.equal(story.all('PageRang').length, 0, 'nobody is known who could be called');
    story.policy(policyOf());
    story.forward(21 * second);
    assert.equal(story.all('PageRang').length, 1);
  });
}

test('B5: what is over before the first policy pages nobody, and waits for nothing', () => {
  const story = tell(noPolicy);
  story.see(eventOf({ severity: 'critical' }));
  story.forward(minute);
  story.see(eventOf({ severity: 'critical', claim: 'cleared' }));
  assert.equal(story.all('IncidentResolved').length, 1);
  story.policy(policyOf());
  story.forward(10 * minute);
  assert.equal(story.all('PageRang').length, 0);
});

test('B5: repeats before the first policy ask for no wait each', () => {
  const story = tell(noPolicy);
  for (let repeat = 0; repeat < 20; repeat += 1) {
    story.see(eventOf({ severity: 'critical' }));
    story.forward(second);
  }
  const waits = story.all('WakeRequested').filter(({ wake }) => wake.kind === 'deliberate');
  assert.ok(waits.length <= 3, `${waits.length} waits in 20 s`);
});
