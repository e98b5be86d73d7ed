// Sets and removes a SCRAM user by the one request for it (AlterUserScramCredentials v0, Kafka's protocol guide, KIP-554).
// By hand because the broker's jars lack the tool since 4.4, kafkajs lacks the request, and a JVM per change would take seconds.
import assert from 'node:assert/strict';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

export type Scram = 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

const mechanisms = {
  'SCRAM-SHA-256': { code: 1, hash: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { code: 2, hash: 'sha512', bytes: 64 },
} as const;
const iterations = 4_096;

/** Sets `name`'s password through a listener that needs no login; null removes the user. Fails when the broker refuses. */
export async function setScram(
  port: number,
  user: { readonly name: string; readonly password: string | null },
  scram: Scram,
): Promise<void> {
  const { code, hash, bytes } = mechanisms[scram];
  const who = [text(user.name), Buffer.from([code])];
  const salt = randomBytes(16);
  const lists =
    user.password === null
      ? [list([Buffer.concat([...who, noTags])]), list([])]
      : [
          list([]),
          list([
            Buffer.concat([
              ...who,
              int32(iterations),
              field(salt),
              field(pbkdf2Sync(user.password, salt, iterations, bytes, hash)),
              noTags,
            ]),
          ]),
        ];
  const header = Buffer.concat([Buffer.from([0, 51, 0, 0]), int32(1), Buffer.from([0xff, 0xff]), noTags]);
  const answer = await ask(port, Buffer.concat([header, ...lists, noTags]));
  // correlation id, tags, throttle time, results: one element { user, error code, … }
  const at = 4 + 1 + 4 + 1 + 1 + Buffer.byteLength(user.name);
  assert.equal(answer.readInt16BE(at), 0, `error code for ${user.password === null ? 'removing' : 'setting'} ${user.name}, ${scram}`);
}

async function ask(port: number, request: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', timeout: 10_000 });
  try {
    socket.on('timeout', () => socket.destroy(new Error(`127.0.0.1:${port} does not answer within 10 s`)));
    socket.write(Buffer.concat([int32(request.length), request]));
    let got = Buffer.alloc(0);
    while (got.length < 4 || got.length < 4 + got.readInt32BE(0)) {
      const [part]: Buffer[] = await once(socket, 'data');
      got = Buffer.concat([got, part ?? assert.fail('no data')]);
    }
    return got.subarray(4);
  } finally {
    socket.destroy();
  }
}

// The protocol's compact forms: lengths are one more than they say, and all of ours fit one byte.
const noTags = Buffer.from([0]);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function field(bytes: Buffer): Buffer {
  assert.ok(bytes.length < 127, 'a field of less than 127 bytes');
  return Buffer.concat([Buffer.from([bytes.length + 1]), bytes]);
}

function text(value: string): Buffer {
  return field(Buffer.from(value));
}

function list(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([items.length + 1]), ...items]);
}
