// What expressions of a policy may see of an alert, an incident and a run. Names here are a public interface of playbooks.
import type { Alert } from '../alert/row.ts';
import type { Desk } from '../desk.ts';
import type { Incident } from '../incident/row.ts';
import type { Run } from '../run/row.ts';
import type { Environment } from './template.ts';

export function alertEnvironment(alert: Alert): Environment {
  return {
    name: alert.name,
    summary: alert.summary,
    severity: alert.severity,
    source: alert.source,
    state: alert.state,
    labels: alert.labels,
    annotations: alert.annotations,
    host: alert.entity.host ?? '',
    ip: alert.entity.ip ?? '',
    service: alert.entity.service ?? '',
    pod: alert.entity.pod ?? '',
    namespace: alert.entity.namespace ?? '',
    cluster: alert.entity.cluster ?? '',
    count: alert.count,
    fingerprint: alert.fingerprint,
  };
}

export function incidentEnvironment(desk: Desk, incident: Incident): Environment {
  const root = desk.tables.alerts.rows.get(incident.root)?.alert;
  return {
    id: incident.id,
    title: incident.title,
    severity: incident.severity,
    score: incident.score.value,
    members: incident.members,
    firing: incident.firing,
    sources: incident.sources,
    storm: incident.storm,
    name: root?.name ?? '',
    host: root?.entity.host ?? '',
    service: root?.entity.service ?? '',
  };
}

/** `alert` is the root alert; `steps` holds the outputs of what ran so far, by step id. */
export function runEnvironment(desk: Desk, run: Run): Environment {
  const incident = desk.tables.incidents.rows.get(run.incident);
  const root = desk.tables.alerts.rows.get(incident?.root ?? '')?.alert;
  return {
    alert: root === undefined ? {} : alertEnvironment(root),
    incident: incident === undefined ? {} : incidentEnvironment(desk, incident),
    params: run.params,
    steps: run.outputs,
    target: run.target,
  };
}
