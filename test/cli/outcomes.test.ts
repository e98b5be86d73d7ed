// E7: what became of it is said in the past tense, whatever was decided on the way.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resultOfAlert, resultOfIncident } from '../../src/cli/outcomes.ts';

const open = { state: 'open', decision: null, acknowledgedBy: null, resolvedBy: null, resolvedWho: null } as const;
const over = { ...open, state: 'resolved' } as const;
const anna = { acknowledgedBy: 'anna' } as const;

describe('E7: the result of an incident', () => {
  for (const [incident, says] of [
    [open, ''],
    [{ ...open, decision: 'page' }, 'paged'],
    [{ ...open, state: 'acknowledged', decision: 'page', ...anna }, 'paged and acknowledged by anna'],
    [{ ...open, decision: 'remediate' }, 'repair begun'],
    [{ ...over, decision: 'suppress', resolvedBy: 'playbook', resolvedWho: 'restart-web' }, 'healed by restart-web'],
    [{ ...over, decision: 'page', ...anna, resolvedBy: 'source' }, 'paged and acknowledged by anna, cleared at its source'],
    [{ ...over, decision: 'hold', resolvedBy: 'source', resolvedWho: '' }, 'cleared at its source'],
    [{ ...over, decision: 'record', resolvedBy: 'human', resolvedWho: 'bob' }, 'resolved by bob'],
    [{ ...over, resolvedBy: 'timeout' }, 'given up: nothing more was heard'],
  ] as const) {
    it(says || 'nothing yet', () => assert.equal(resultOfIncident(incident), says));
  }
});

describe('E7: the result of an alert', () => {
  const firing = { state: 'firing', decision: 'page', muted: null, acknowledged: false } as const;
  for (const [alert, says] of [
    [firing, 'paged'],
    [{ ...firing, acknowledged: true }, 'paged and acknowledged'],
    [{ ...firing, state: 'cleared' }, 'cleared'],
    [{ ...firing, muted: { kind: 'silence', silence: 's', until: 1, comment: '' } }, 'silenced'],
    [{ ...firing, muted: { kind: 'flapping', percent: 60 } }, 'held back: flapping'],
  ] as const) {
    it(says, () => assert.equal(resultOfAlert(alert), says));
  }
});
