// Zabbix's JSON-RPC: one session of a token or of a user, in the forms of 6.0 (`auth` in the body) and of 6.4 and later (a header).
//   J1  A session that was opened by user and password is closed again, whatever came of it.
import { fail, ok, type Result } from '../../src/core/errors.ts';
import { askJson } from '../kit/ask.ts';
import { isObject, textOf, type JsonObject } from '../kit/event.ts';
import { targetOf, type Http } from '../kit/http-client.ts';
import { oneLine } from '../kit/text.ts';

export interface ZabbixAccount {
  /** Of api_jsonrpc.php. */
  readonly url: string;
  /** An API token; or user and password. */
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
}

/** Calls a method whose result is a list of objects. */
export type RpcCall = (method: string, params: object) => Promise<Result<readonly JsonObject[], string>>;

export interface RpcSession {
  readonly call: RpcCall;
  close(): Promise<void>;
}

export async function openSession(account: ZabbixAccount, http: Http, signal: AbortSignal): Promise<Result<RpcSession, string>> {
  const url = targetOf(account.url, 'reconcile.url');
  const { token, user, password } = account;
  const secrets = [token, password].filter((secret) => secret !== undefined);
  let inHeader = true;

  async function send(method: string, params: object, auth: string | null, until: AbortSignal): Promise<Result<unknown, string>> {
    const body = { jsonrpc: '2.0', method, params, id: 1, ...(auth !== null && !inHeader ? { auth } : {}) };
    const headers = { 'content-type': 'application/json-rpc', ...(auth !== null && inHeader ? { authorization: `Bearer ${auth}` } : {}) };
    const known = auth === null ? secrets : [...secrets, auth];
    const question = { vendor: 'zabbix', method: 'POST' as const, url, headers, body: JSON.stringify(body), secrets: known };
    const answer = await askJson(http, question, until);
    return answer.ok ? resultOf(method, answer.value) : answer;
  }

  const version = await send('apiinfo.version', {}, null, signal);
  if (!version.ok) return version;
  const [major = 0, minor = 0] = textOf(version.value).split('.').map(Number);
  if (major < 6) return fail(`zabbix: expected version 6.0 or later, seen ${oneLine(textOf(version.value), 20) || 'no version'}`);
  inHeader = major > 6 || minor >= 4;

  const session =
    token === undefined ? await send('user.login', { username: user ?? '', password: password ?? '' }, null, signal) : ok(token);
  if (!session.ok) return session;
  const auth = textOf(session.value);
  return ok({
    async call(method, params) {
      const result = await send(method, params, auth, signal);
      if (!result.ok) return result;
      const isList = Array.isArray(result.value) && result.value.every(isObject);
      return isList ? ok(result.value as readonly JsonObject[]) : fail(`zabbix: ${method}: expected a list, seen something else`); // every one was looked at
    },
    async close() {
      if (token === undefined) await send('user.logout', [], auth, AbortSignal.any([])); // J1
    },
  });
}

function resultOf(method: string, answer: unknown): Result<unknown, string> {
  if (!isObject(answer)) return fail(`zabbix: ${method}: expected a JSON-RPC answer, seen something else`);
  const { error } = answer;
  if (isObject(error)) return fail(`zabbix: ${method} failed: ${oneLine(`${textOf(error['message'])} ${textOf(error['data'])}`, 200)}`);
  return Object.hasOwn(answer, 'result') ? ok(answer['result']) : fail(`zabbix: ${method}: an answer without a result`);
}
