// `status`, `reload`, `freeze`, `thaw`: the gateway itself.
import type { ReadyAnswer, ReloadAnswer, SummaryAnswer } from '../readmodel/answers.ts';
import { reaching, type Call, type Command } from './command.ts';
import { exits, Stop, type ExitCode } from './exit.ts';
import { ago, colourOf, formOf, shortSpan } from './table.ts';
import { data, painted, plain, plainJson, say } from './terminal.ts';
import { spanGiven } from './watch.ts';

const nouns = ['incidents', 'alerts', 'runs', 'approvals', 'pages', 'silences'] as const;

async function status(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const api = call.api();
  const ready = await api.ask('/readyz');
  const isReady = ready.status === 200;
  const summary = await api.get<SummaryAnswer>('/api/v1/summary', ['version', 'frozen', ...nouns]).catch((error: unknown) => {
    if (!(error instanceof Stop)) throw error;
    return error;
  });
  if (formOf(given) === 'json')
    data(terminal, plainJson({ url: api.url, ...ready.body, summary: summary instanceof Stop ? null : summary }));
  else tell(call, api.url, readyIn(ready.body), summary instanceof Stop ? null : summary);
  if (summary instanceof Stop) throw summary;
  return isReady ? exits.ok : exits.failed;
}

/** Anything may answer there; what has a status and checks is taken for a gateway. */
function readyIn(body: object): Partial<ReadyAnswer> {
  return 'status' in body && 'checks' in body && Array.isArray(body.checks) ? (body as ReadyAnswer) : {};
}

function tell({ terminal }: Call, url: string, ready: Partial<ReadyAnswer>, summary: SummaryAnswer | null): void {
  const word = ready.status ?? 'not a Quench gateway';
  const version = summary === null ? '' : `, version ${plain(summary.version)}`;
  data(terminal, `gateway     ${url}${version}: ${painted(terminal, word === 'ready' ? 'green' : 'red', plain(word))}`);
  const checks = (ready.checks ?? []).map(({ name, ok }) => `${name} ${ok ? 'ok' : 'NOT OK'}`);
  if (checks.length > 0) data(terminal, `checks      ${plain(checks.join(', '))}`);
  if (summary === null) return;
  const { frozen, deadLetters } = summary;
  for (const { by, reason, at, until } of frozen?.freezes ?? []) {
    const now = terminal.clock.now();
    const when = [...(at === null ? [] : [`since ${ago(at, now)}`]), until === null ? 'until quench thaw' : `ends ${ago(until, now)}`];
    data(terminal, `frozen      ${painted(terminal, 'red', plain(`by ${by}: ${reason} (${when.join(', ')})`))}`);
  }
  for (const noun of nouns) {
    const counts = Object.entries<number>(summary[noun])
      .filter(([, count]) => count > 0)
      .map(([state, count]) => painted(terminal, colourOf(state), plain(`${count} ${state}`)));
    if (counts.length > 0) data(terminal, `${noun.padEnd(10)}  ${counts.join(', ')}`);
  }
  if (deadLetters > 0) data(terminal, `deadletters ${deadLetters}`);
}

const reloadMembers = ['outcome', 'digest', 'playbooks', 'changed', 'restart', 'problems'] as const;

async function reload({ api, terminal, given }: Call): Promise<ExitCode> {
  const answer = await api().post<ReloadAnswer>('/api/v1/reload', {}, reloadMembers, 409);
  const isDone = answer.outcome === 'reloaded' || answer.outcome === 'unchanged';
  if (formOf(given) === 'json') data(terminal, plainJson(answer));
  else for (const line of linesOf(answer)) say(terminal, line);
  return isDone ? exits.ok : exits.failed;
}

function linesOf({ outcome, digest, playbooks, changed, restart, problems }: ReloadAnswer): readonly string[] {
  const policy = `policy ${plain((digest ?? '').replace('sha256:', '').slice(0, 12))}, ${playbooks ?? 0} playbooks`;
  const untouched = 'what was in force stays in force';
  switch (outcome) {
    case 'reloaded':
      return [`reloaded: ${policy}; changed: ${plain(changed.join(', '))}`];
    case 'unchanged':
      return [`nothing has changed: ${policy}`];
    case 'needs_restart':
      return [`not reloaded: ${untouched}. Only a restart of the gateway changes ${plain(restart.join(', '))}`];
    case 'not_published':
      return [`not reloaded: ${untouched}. The log did not take the policy; try again, and see the log of the gateway`];
    case 'does_not_load':
      return [`not reloaded: ${untouched}. The configuration does not load:`, ...problems.map(plain)];
    default:
      return [`the gateway answered ${plain(String(outcome satisfies never))}`];
  }
}

export const gatewayCommands: readonly Command[] = [
  {
    words: 'status',
    args: '',
    least: 0,
    most: 0,
    says: 'whether the gateway is ready, and what it has in hand',
    more: ['Exit code 1 when it is not ready.'],
    options: [...reaching, 'output'],
    run: status,
  },
  {
    words: 'reload',
    args: '',
    least: 0,
    most: 0,
    says: 'read quench.yaml and the playbooks again and put them in force',
    more: ['Exit code 1 when nothing was changed because they do not load, or because something in them needs a restart.'],
    options: [...reaching, 'output'],
    run: reload,
  },
  {
    words: 'freeze',
    args: 'REASON...',
    least: 1,
    most: 1_000,
    says: 'emergency stop: no action starts any more; people are still paged',
    more: ['It ends after --for, or with quench thaw. A second one is kept beside the first: quench status lists them.'],
    options: [...reaching, 'for'],
    async run(call) {
      const span = spanGiven(call.given.text('for'), '--for');
      const until = span === null ? {} : { until: call.terminal.clock.now() + span };
      await call.api().post('/api/v1/freeze', { reason: call.args.join(' '), ...until });
      say(
        call.terminal,
        `frozen: no playbook acts ${span === null ? 'until quench thaw' : `for ${shortSpan(span)}, or until quench thaw`}`,
      );
      return exits.ok;
    },
  },
  {
    words: 'thaw',
    args: '',
    least: 0,
    most: 0,
    says: 'lift the emergency stop',
    options: reaching,
    async run(call) {
      await call.api().post('/api/v1/thaw', {});
      say(call.terminal, 'thawed: playbooks may act again');
      return exits.ok;
    },
  },
];
