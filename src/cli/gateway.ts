// `status`, `freeze`, `thaw`: the gateway itself.
import type { Doc } from './client.ts';
import { reaching, type Call, type Command } from './command.ts';
import { exits, Stop, type ExitCode } from './exit.ts';
import { colourOf, docAt, docsAt, formOf, textAt } from './table.ts';
import { data, painted, plain, plainJson, say } from './terminal.ts';

const nouns = ['incidents', 'alerts', 'runs', 'approvals', 'pages', 'silences'] as const;

async function status(call: Call): Promise<ExitCode> {
  const { terminal, given } = call;
  const api = call.api();
  const ready = await api.ask('/readyz');
  const isReady = ready.status === 200;
  const summary = await api.get('/api/v1/summary').catch((error: unknown) => {
    if (!(error instanceof Stop)) throw error;
    return error;
  });
  if (formOf(given) === 'json')
    data(terminal, plainJson({ url: api.url, ...ready.body, summary: summary instanceof Stop ? null : summary }));
  else tell(call, api.url, ready.body, summary instanceof Stop ? {} : summary);
  if (summary instanceof Stop) throw summary;
  return isReady ? exits.ok : exits.failed;
}

function tell({ terminal }: Call, url: string, ready: Doc, summary: Doc): void {
  const word = textAt(ready, 'status') || 'not a Quench gateway';
  const version = textAt(summary, 'version');
  data(
    terminal,
    `gateway     ${url}${version === '' ? '' : `, version ${plain(version)}`}: ${painted(terminal, word === 'ready' ? 'green' : 'red', plain(word))}`,
  );
  const checks = docsAt(ready, 'checks').map((check) => `${textAt(check, 'name')} ${check['ok'] === true ? 'ok' : 'NOT OK'}`);
  if (checks.length > 0) data(terminal, `checks      ${plain(checks.join(', '))}`);
  const frozen = docAt(summary, 'frozen');
  if (textAt(frozen, 'by') !== '')
    data(terminal, `frozen      ${painted(terminal, 'red', plain(`by ${textAt(frozen, 'by')}: ${textAt(frozen, 'reason')}`))}`);
  for (const noun of nouns) {
    const counts = Object.entries(docAt(summary, noun)).map(([state, count]) =>
      painted(terminal, count === 0 ? null : colourOf(state), plain(`${String(count)} ${state}`)),
    );
    if (counts.length > 0) data(terminal, `${noun.padEnd(10)}  ${counts.join(', ')}`);
  }
  const letters = textAt(summary, 'deadLetters');
  if (letters !== '' && letters !== '0') data(terminal, `deadletters ${letters}`);
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
    words: 'freeze',
    args: 'REASON...',
    least: 1,
    most: 1_000,
    says: 'emergency stop: no action starts any more; people are still paged',
    options: reaching,
    async run(call) {
      await call.api().post('/api/v1/freeze', { reason: call.args.join(' ') });
      say(call.terminal, 'frozen: no playbook acts until quench thaw');
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
