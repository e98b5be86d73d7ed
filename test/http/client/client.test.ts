// A client generated from the served document reads every answer: openapi-typescript makes the types, the compiler reads them in a small program.
// Both ways: each answer's members are there under the document's types, and our own types of the same answers fit them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { front } from '../support.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What our own types are called in the document. */
const ours: { readonly [file: string]: { readonly [component: string]: string } } = {
  documents: {
    Alert: 'AlertDocument',
    Incident: 'IncidentDocument',
    Run: 'RunDocument',
    Approval: 'ApprovalDocument',
    Page: 'PageDocument',
    Silence: 'SilenceDocument',
  },
  timeline: { TimelineEntry: 'TimelineEntry' },
  answers: {
    IncidentWithParts: 'IncidentAnswer',
    Timeline: 'TimelineAnswer',
    Raw: 'RawAnswer',
    Preview: 'PreviewAnswer',
    Letter: 'LetterAnswer',
    Summary: 'SummaryAnswer',
    Ready: 'ReadyAnswer',
    Log: 'LogAnswer',
    LogPage: 'LogPageAnswer',
    Problem: 'ProblemAnswer',
  },
};

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: { readonly [name: string]: unknown };
}

interface Document {
  readonly paths: {
    readonly [path: string]: {
      readonly [method: string]: {
        readonly operationId: string;
        readonly responses: { readonly [status: string]: { readonly content: { readonly [media: string]: { readonly schema?: Schema } } } };
      };
    };
  };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
}

test('a client generated from the served document can read every answer', async () => {
  const document = await served();
  const answers = answersIn(document);
  assert.ok(answers.length >= 40, `${answers.length} answers`);

  const read = await compile(document, programOf(answers));
  assert.equal(read, '');

  // The compiler would have found a member that no answer has, and an answer that says nothing.
  const bare: Document = {
    ...document,
    paths: {
      ...document.paths,
      '/api/v1/summary': { get: { operationId: 'getSummary', responses: { 200: { content: { 'application/json': {} } } } } },
    },
  };
  const wrong = `export const wrong = (answer: components['schemas']['Incident']): unknown => answer.titel;`;
  const complaints = await compile(bare, `${programOf(answers)}\n${wrong}\n`);
  assert.match(complaints, /'deadLetters' does not exist on type 'Nothing'/);
  assert.match(complaints, /'titel' does not exist/);
});

async function served(): Promise<Document> {
  const { http } = await front();
  const port = await http.start(0, '127.0.0.1');
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/openapi.json`, { headers: { connection: 'close' } });
    return (await response.json()) as Document; // The document; the generator validates it.
  } finally {
    await http.stop();
  }
}

interface AnswerType {
  readonly type: string;
  /** Expressions that read it. */
  readonly reads: readonly string[];
}

function answersIn(document: Document): readonly AnswerType[] {
  return Object.values(document.paths).flatMap((item) =>
    Object.values(item).flatMap(({ operationId, responses }) =>
      Object.entries(responses)
        .filter(([status]) => status.startsWith('2'))
        .flatMap(([status, { content }]) =>
          Object.entries(content).map(([media, { schema }]) => ({
            type: `operations['${operationId}']['responses'][${status}]['content']['${media}']`,
            reads: readsOf(schema ?? {}, document),
          })),
        ),
    ),
  );
}

function readsOf(schema: Schema, document: Document): readonly string[] {
  const name = schema.$ref?.split('/').at(-1);
  const resolved = name === undefined ? schema : document.components.schemas[name];
  if (resolved?.type === 'array') return ['answer[0]'];
  if (resolved?.type === 'string') return ['answer.length'];
  return Object.keys(resolved?.properties ?? {}).map((member) => `answer.${member}`);
}

function programOf(answers: readonly AnswerType[]): string {
  const imports = Object.entries(ours).map(
    ([file, types]) => `import type { ${Object.values(types).join(', ')} } from '${root}src/readmodel/${file}.ts';`,
  );
  const reads = answers.map(
    ({ type, reads: members }, place) =>
      `export const read${place} = (answer: Known<${type}>): readonly unknown[] => [${members.join(', ')}];`,
  );
  const fits = Object.values(ours).flatMap((types) =>
    Object.entries(types).map(
      ([component, type]) => `export const fit${component} = (own: ${type}): components['schemas']['${component}'] => own;`,
    ),
  );
  return `import type { components, operations } from './schema.ts';
${imports.join('\n')}
interface Nothing { readonly 'Says nothing': never }
type Known<T> = unknown extends T ? Nothing : [T] extends [never] ? Nothing : T;
${reads.join('\n')}
${fits.join('\n')}
`;
}

/** What the compiler complains about, '' for nothing. */
async function compile(document: object, program: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'quench-client-'));
  try {
    const types = astToString(await openapiTS(document as OpenAPI3, { immutable: true }));
    writeFileSync(join(dir, 'schema.ts'), types);
    writeFileSync(join(dir, 'program.ts'), program);
    const options = [
      '--noEmit',
      '--strict',
      '--ignoreConfig',
      '--target',
      'es2024',
      '--module',
      'nodenext',
      '--allowImportingTsExtensions',
      '--noUncheckedIndexedAccess',
    ];
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, join(dir, 'program.ts')], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.ok(tsc.error === undefined, tsc.error?.message);
    return tsc.status === 0 ? '' : `${tsc.stdout}${tsc.stderr}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
