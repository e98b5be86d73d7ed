// What is said of deliveries that an endpoint goes on refusing: as an alert of our own, and as a raw page when no alert can be taken. Pure text.
import { hash } from 'node:crypto';
import type { AlertEvent } from '../../core/alert/event.ts';
import { fixAnnotation, ownSource } from '../../core/alert/own.ts';
import { assertNever } from '../../core/errors.ts';
import { sinceOf, clockOf, type Instant } from '../../core/time.ts';
import { endingOf } from '../failopen/page-text.ts';
import type { RawPage } from '../failopen/raw-pager.ts';
import type { IntakeEndpoint } from '../intake/endpoint.ts';
import type { Episode, RefusalKind } from './episode.ts';

const saysCharsMax = 300;
const mebibyte = 1_048_576;

/** How large bodies may be, as the configuration has it. */
export interface Caps {
  readonly bodyBytesMax: number;
  readonly listBytesMax: number;
  readonly bufferedBytesMax: number;
}

/** Unlike that of any other endpoint and kind, and the same in every process. */
export function refusalFingerprint(endpoint: string, kind: RefusalKind): string {
  return hash('sha256', JSON.stringify([ownSource, 'refused', endpoint, kind]), 'hex').slice(0, 16);
}

/** It fires from the first refusal on. */
export function firingEvent(endpoint: IntakeEndpoint, episode: Episode, at: Instant, caps: Caps): AlertEvent {
  return {
    ...aboutOf(endpoint, episode.kind, { startedAt: episode.since, observedAt: at }),
    claim: 'firing',
    summary: `${headOf(endpoint, episode, caps)} since ${clockOf(episode.since)}`,
    annotations: { [fixAnnotation]: fixOf(endpoint, episode, caps) },
  };
}

export function clearedEvent(endpoint: IntakeEndpoint, kind: RefusalKind, startedAt: Instant, at: Instant): AlertEvent {
  return {
    ...aboutOf(endpoint, kind, { startedAt, observedAt: at }),
    claim: 'cleared',
    proof: 'measured',
    summary: `source ${endpoint.name}: its deliveries are taken again`,
    annotations: {},
  };
}

function aboutOf(
  { name, source }: IntakeEndpoint,
  refused: RefusalKind,
  times: Pick<AlertEvent, 'startedAt' | 'observedAt'>,
): Omit<AlertEvent, 'claim' | 'summary' | 'annotations'> {
  return {
    ...times,
    source: ownSource,
    fingerprint: refusalFingerprint(name, refused),
    episode: '',
    name: 'DeliveriesRefused',
    severity: 'critical',
    labels: { alertname: 'DeliveriesRefused', endpoint: name, refused, sender: source.name },
    entity: {},
    links: [],
  };
}

/** For when the log does not even take our own alert. */
export function refusalPage(
  endpoint: IntakeEndpoint,
  episode: Episode,
  {
    at,
    caps,
    installation,
    why,
  }: { readonly at: Instant; readonly caps: Caps; readonly installation: string | null; readonly why: string },
): RawPage {
  const dedupKey = `quench:${installation === null ? '' : `${installation}:`}refused:${endpoint.name}:${episode.kind}:${episode.since}`;
  return {
    id: dedupKey,
    kind: 'page',
    dedupKey,
    incident: 'refused',
    page: 'refused',
    title: `[quench] ${headOf(endpoint, episode, caps)}`.slice(0, 200),
    text: [
      `${headOf(endpoint, episode, caps)} ${sinceOf(episode.since, at)}: ${episode.count} deliveries.`,
      `This could not be paged in the usual way: ${why.slice(0, saysCharsMax)}`,
      fixOf(endpoint, episode, caps),
    ].join('\n'),
    severity: 'critical',
    at,
    source: 'quench',
    facts: [
      { name: 'endpoint', value: endpoint.name },
      { name: 'refused', value: String(episode.count) },
    ],
    links: [],
  };
}

/** `told`: the log took our own alert, and the usual ladder speaks; `over`: the endpoint takes its deliveries again. */
export function refusalPageEnd(page: RawPage, why: 'told' | 'over', at: Instant): RawPage {
  const what = page.title.replace(/^\[quench\] /, '');
  return {
    ...page,
    ...endingOf(page),
    title: `[quench] ${why === 'told' ? 'paged in the usual way now' : 'over'}: ${what}`.slice(0, 200),
    text:
      why === 'told'
        ? `The log takes alerts again: the usual ladder speaks for this from here, and this page ends. Deliveries may be refused still.`
        : 'These deliveries are not refused any more, and this page ends.',
    at,
    facts: [],
  };
}

function headOf({ name, source }: IntakeEndpoint, { kind, bytes }: Pick<Episode, 'kind' | 'bytes'>, caps: Caps): string {
  switch (kind) {
    case 'size': {
      const cap = capOf(source.lists, caps);
      const size = bytes === null || bytes <= cap ? `more than ${sizeOf(cap)}` : sizeOf(bytes);
      return `source ${name} is sending bodies of ${size} that are refused`;
    }
    case 'form':
      return `source ${name} is sending deliveries that are not understood`;
    case 'credentials':
      return `source ${name} is sending deliveries with wrong credentials, which are refused`;
    default:
      return assertNever(kind);
  }
}

function fixOf({ name, source }: IntakeEndpoint, { kind, bytes, says }: Episode, caps: Caps): string {
  const said = `The sender was told: ${says.slice(0, saysCharsMax)}`;
  switch (kind) {
    case 'size': {
      const cap = capOf(source.lists, caps);
      const wanted = roundedUp(Math.max(2 * cap, 1.5 * (bytes ?? 0)));
      const buffered = wanted > caps.bufferedBytesMax ? `, buffered: ${sizeWord(4 * wanted)}` : '';
      return [
        `${said}. Nothing of such a body is kept: whatever alerts are in it reach nobody.`,
        `What to do: let the sender put fewer alerts into one delivery, or paste this into quench.yaml and start the gateway again:`,
        `limits: { ${source.lists === true ? 'lists' : 'body'}: ${sizeWord(wanted)}${buffered} }`,
      ].join('\n');
    }
    case 'form':
      return [
        `${said}. What could be kept is kept: quench deadletter list --endpoint ${name}`,
        `What to do: mend the sender, or the mapping of the endpoint in quench.yaml; then quench deadletter replay ID brings in what was kept.`,
      ].join('\n');
    case 'credentials':
      return [
        `${said}. Nothing of such a delivery is kept: whatever alerts are in it reach nobody.`,
        `What to do: compare what the sender presents with endpoints.${name}.auth in quench.yaml; write the sender's secret where auth reads it, then quench reload. If nobody of yours sends this, somebody else knocks at that address.`,
      ].join('\n');
    default:
      return assertNever(kind);
  }
}

function capOf(lists: true | undefined, { bodyBytesMax, listBytesMax }: Caps): number {
  return lists === true ? listBytesMax : bodyBytesMax;
}

function sizeOf(bytes: number): string {
  return bytes >= 10 * mebibyte
    ? `${Math.round(bytes / mebibyte)} MiB`
    : bytes >= mebibyte
      ? `${(bytes / mebibyte).toFixed(1)} MiB`
      : `${Math.round(bytes / 1_024)} KiB`;
}

/** The next power of two, of a mebibyte at least. */
function roundedUp(bytes: number): number {
  return mebibyte * 2 ** Math.ceil(Math.log2(Math.max(1, bytes / mebibyte)));
}

function sizeWord(bytes: number): string {
  return `${bytes / mebibyte}MiB`;
}
