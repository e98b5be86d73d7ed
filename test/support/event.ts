// Alert events for tests: a whole one from the few parts a test is about.
import { hash } from 'node:crypto';
import type { AlertEvent } from '../../src/core/alert/event.ts';
import { someday } from './clock.ts';

export function eventOf(change: Partial<AlertEvent> = {}): AlertEvent {
  const {
    host = 'web1',
    name = 'ServiceDown',
    service = 'checkout',
  } = { ...change.entity, ...(change.name === undefined ? {} : { name: change.name }) };
  const source = change.source ?? 'prometheus';
  const startedAt = change.startedAt ?? someday;
  return {
    source,
    fingerprint: hash('sha256', JSON.stringify([source, name, host, service]), 'hex').slice(0, 16),
    episode: '',
    name,
    summary: `${name} on ${host}`,
    claim: 'firing',
    severity: 'critical',
    labels: { alertname: name, instance: host },
    annotations: {},
    entity: { host, service },
    startedAt,
    observedAt: startedAt,
    links: [],
    ...change,
  };
}
