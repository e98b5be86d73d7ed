// `send`: a body as a sender would post it, or an alert of your own through the alerts API.
import { readFileSync } from 'node:fs';
import { memberOf } from '../config/yaml/pointer.ts';
import { reaching, type Call, type Command } from './command.ts';
import { exits, usage, type ExitCode } from './exit.ts';
import type { OptionName } from './options.ts';
import { readAll, say } from './terminal.ts';

const bodyBytesMax = 16_777_216;
const own: readonly OptionName[] = ['host', 'service', 'severity', 'summary', 'label', 'cleared'];

async function send(call: Call): Promise<ExitCode> {
  const [endpoint] = call.args;
  const name = call.given.text('name');
  if (endpoint === undefined && name === undefined)
    throw usage('expected an endpoint with --file, or an alert with --name; see quench help send');
  if (endpoint !== undefined && name !== undefined) throw usage(`expected an endpoint or --name, seen both`);
  return endpoint === undefined ? sendOwn(call, name ?? '') : sendBody(call, endpoint);
}

async function sendBody(call: Call, endpoint: string): Promise<ExitCode> {
  const wrong = own.find((option) => call.given.has(option));
  if (wrong !== undefined) throw usage(`--${wrong} goes with --name, not with an endpoint`);
  const file = call.given.text('file');
  const body = file === undefined || file === '-' ? await readAll(call.terminal, bodyBytesMax) : textOf(file);
  const { alerts } = await call.api().deliver(`/webhooks/${encodeURIComponent(endpoint)}`, body, typeOf(body));
  say(call.terminal, `accepted${alerts === undefined ? '' : `: ${alerts} ${alerts === 1 ? 'alert' : 'alerts'}`}`);
  return exits.ok;
}

async function sendOwn(call: Call, name: string): Promise<ExitCode> {
  const { given, terminal } = call;
  if (given.has('file')) throw usage('--file goes with an endpoint, not with --name');
  if (given.text('severity')?.includes(',') === true)
    throw usage(`--severity: expected one word for an alert, seen "${given.text('severity')}"`);
  const labels: [string, string][] = [['alertname', name]];
  for (const option of ['host', 'service', 'severity'] as const) {
    const value = given.text(option);
    if (value !== undefined) labels.push([option, value]);
  }
  for (const text of given.texts('label')) labels.push(labelIn(text));
  const summary = given.text('summary');
  const alert = {
    labels: Object.fromEntries(labels),
    annotations: summary === undefined ? {} : { summary },
    ...(given.has('cleared') ? { endsAt: new Date(terminal.clock.now()).toISOString() } : {}),
  };
  await call.api().deliver('/api/v2/alerts', JSON.stringify([alert]), 'application/json');
  say(
    terminal,
    given.has('cleared')
      ? 'accepted: cleared, where one fires of the same name, host, service, severity and labels'
      : 'accepted: firing; see quench incident list',
  );
  return exits.ok;
}

function labelIn(text: string): [string, string] {
  const [, name, value] = /^([A-Za-z_][\w.:-]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw usage(`--label: expected NAME=VALUE, seen "${text}"`);
  return [name, value];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`expected a file at ${file}, seen none: ${String(memberOf(error, 'code'))}`);
  }
}

/** What a sender would call it: JSON, a form, or text. */
function typeOf(body: string): string {
  if (/^\s*[[{]/.test(body)) return 'application/json';
  return /^[\w.%+-]+=/.test(body) ? 'application/x-www-form-urlencoded' : 'text/plain';
}

export const sendCommands: readonly Command[] = [
  {
    words: 'send',
    args: '[ENDPOINT]',
    least: 0,
    most: 1,
    says: 'post a delivery to an endpoint, or an alert of your own',
    more: [
      'quench send ENDPOINT --file body.json          what a sender would post; - or no file reads stdin',
      'quench send --name DiskFull --host db1 --severity critical [--cleared]   the same words end it: severity and labels count',
      'Uses the token of senders: QUENCH_INGEST_TOKEN, or data/ingest.token beside the configuration.',
    ],
    options: [...reaching, 'file', 'name', ...own],
    run: send,
  },
];
