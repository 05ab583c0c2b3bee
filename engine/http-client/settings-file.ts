/** Files that hold HTTP client settings: read, checked, and explained with file:line:column when they cannot be used. */
import { access, constants, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Diagnostic, renderDiagnostics } from '../policy/diagnostics.ts';
import { parseYaml } from '../policy/yaml.ts';
import { complain, type Field, readMapping, rootField } from '../policy/yaml-fields.ts';
import type { HttpClientSettings } from './settings.ts';
import { HTTP_CLIENT_KEYS, type NamedFile, type ReadContext, readHttpClient } from './settings-fields.ts';

/** `text` is what the diagnostics say, with the lines at fault and how to mend them; empty when there is nothing to say. */
export type FileOutcome<Value> =
  | { readonly ok: true; readonly value: Value; readonly text: string }
  | { readonly ok: false; readonly text: string };

/** Reads a file of HTTP client settings and nothing else. Never throws. */
export async function readHttpClientFile(file: string): Promise<FileOutcome<HttpClientSettings>> {
  return readSettingsFile(file, (field, context) => {
    readMapping(field, HTTP_CLIENT_KEYS);
    return readHttpClient(field, context);
  });
}

/** Reads any YAML file through `read`, and sees whether the files it names can be read. Never throws. */
export async function readSettingsFile<Value>(
  file: string,
  read: (root: Field, context: ReadContext) => Value,
): Promise<FileOutcome<Value>> {
  const source = await readFile(file, 'utf8').catch((error: Error) => error);
  if (source instanceof Error) return { ok: false, text: `${file}: cannot be read: ${source.message}\n` };
  const document = parseYaml(source, file);
  if (!document.ok) return refused(document.diagnostics, file, source);
  const problems: Diagnostic[] = [];
  const context: ReadContext = { directory: dirname(file), files: [] };
  const value = read(rootField({ ...document, value: document.value ?? {} }, problems), context);
  await Promise.all(context.files.map(checkFile));
  if (problems.some(({ severity }) => severity === 'error')) return refused(problems, file, source);
  return { ok: true, value, text: render(problems, file, source) };
}

async function checkFile({ field, path }: NamedFile): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    complain(field, `${path} ${code}`, 'name a file that this process may read, relative to this one');
  }
}

function refused(problems: readonly Diagnostic[], file: string, source: string): { ok: false; text: string } {
  return { ok: false, text: render(problems, file, source) };
}

function render(problems: readonly Diagnostic[], file: string, source: string): string {
  return renderDiagnostics(problems, { [file]: withoutSecrets(source) });
}

const SECRET = /(?<=\b(?:password|credentials|bearer_token|client_secret|key)["']?\s*:\s*)[^\s,{}[\]|>][^,}\n]*/g;

/** Diagnostics show the line at fault, and end up in logs. */
function withoutSecrets(source: string): string {
  return source.replace(SECRET, (secret) => '*'.repeat(secret.length));
}
