// A toy notifier: one line for each message at the end of a file.
import { appendFile } from 'node:fs/promises';
import { checked, type NotifierKind } from '../../../../adapters/kit/kinds.ts';
import type { Notifier } from '../../../../src/ports/notifier.ts';

interface SirenOptions {
  readonly file: string;
  readonly voice: string;
}

export const sirenNotifier: NotifierKind = {
  name: 'siren',
  options: {
    type: 'object',
    additionalProperties: false,
    required: ['file', 'voice'],
    properties: {
      file: { type: 'string', pattern: '^/', 'x-expects': 'an absolute path, or one that begins with ./' },
      voice: { type: 'string', minLength: 1, writeOnly: true },
    },
  },
  create: (options) => siren(checked(options)),
};

function siren({ file, voice }: SirenOptions): Notifier {
  return {
    async deliver({ id, kind, title, severity }) {
      try {
        await appendFile(file, `${JSON.stringify({ id, kind, title, severity, voice })}\n`);
        return { outcome: 'accepted', detail: 'siren: written' };
      } catch {
        return { outcome: 'deferred', retryAfterMs: 1_000, detail: 'siren: the file cannot be written' };
      }
    },
  };
}
