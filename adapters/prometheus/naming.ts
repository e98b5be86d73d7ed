// What an alert without the usual labels is called, and how bad it is: rules of other people need neither `alertname` nor `severity`.
//   N1  A label under its usual name goes before its neighbours, and every label before annotations and what a body says for all its alerts.
//   N2  A name is made of what stays the same from one episode to the next, if there is any such thing; it is never empty.
import type { Labels } from '../../src/core/alert/labels.ts';
import type { Severity } from '../../src/core/alert/severity.ts';
import type { SeverityReader } from '../kit/severity.ts';

const nameLabels = [
  'alertname',
  'rulename',
  'alert_name',
  'alertName',
  'alert',
  'rule_name',
  'rule',
  'check_name',
  'check',
  'name',
  'event',
];
const nameAnnotations = ['title', 'summary', 'message', 'description'];
const partLabels = ['job', 'service', 'app', 'application', 'container', 'namespace', 'instance', 'host'];
const severityNeighbours = ['severity', 'level', 'priority', 'sev', 'prio', 'criticality', 'urgency'];
const nameCharsMax = 100;

/** The text of a label or annotation, '' when it is not there; never a member of the prototype. */
export function own(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

/** The labels with the alert's name from its group, where only the group says it: it is part of what the alert is. */
export function namedLabels(labels: Labels, common: Labels): Labels {
  const alertname = own(common, 'alertname');
  return alertname === '' || nameLabels.some((name) => own(labels, name).trim() !== '') ? labels : { ...labels, alertname };
}

/** N2 */
export function nameOf(labels: Labels, annotations: Labels): string {
  for (const name of nameLabels) if (own(labels, name).trim() !== '') return own(labels, name);
  for (const name of nameAnnotations) {
    const [line = ''] = own(annotations, name).trim().split('\n', 1);
    if (line !== '') return line.slice(0, nameCharsMax).toWellFormed();
  }
  const part = partLabels.find((name) => own(labels, name).trim() !== '') ?? Object.keys(labels).sort()[0] ?? '';
  return `alert with ${part} ${own(labels, part)}`.slice(0, nameCharsMax).toWellFormed();
}

/** The word for how bad it is, by the configured label; else the first neighbour with a word that is known; '' when there is none. */
export function severityWordOf(
  label: string,
  said: readonly [labels: Labels, annotations: Labels, common: Labels],
  read: SeverityReader,
): string {
  const [labels, , common] = said;
  const word = own(labels, label).trim() || own(common, label).trim();
  if (word !== '') return word;
  for (const texts of said) {
    for (const name of severityNeighbours) {
      const known: Severity | null = read(own(texts, name));
      if (known !== null) return own(texts, name).trim();
    }
  }
  return '';
}
