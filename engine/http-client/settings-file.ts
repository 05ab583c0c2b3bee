/** Files that hold HTTP client settings: read, checked, and explained with file:line:column when they cannot be used. */
import { access, constants, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Diagnostic, renderDiagnostics } from '../policy/diagnostics.ts';
import { parseYaml } from '../policy/yaml.ts';
import { child, complain, type Field, isBlank, readMapping, rootField } from '../policy/yaml-fields.ts';
import { pemProblems, readPems } from './certificates.ts';
import type { HttpClientSettings } from './settings.ts';
import {
  HTTP_CLIENT_KEYS,
  type NamedFile,
  type ReadContext,
  readHttpClient,
  type WrittenTls,
} from './settings-fields.ts';

/** `text` is what the diagnostics say: where, what and how to mend it, never a value; empty when there is nothing to say. */
export type FileOutcome<Value> =
  | { readonly ok: true; readonly value: Value; readonly text: string }
  | { readonly ok: false; readonly text: string };

/** Reads a file of HTTP client settings and nothing else, for a client that follows no redirects. Never throws. */
export async function readHttpClientFile(file: string): Promise<FileOutcome<HttpClientSettings>> {
  return readSettingsFile(file, (field, context) => {
    readMapping(field, HTTP_CLIENT_KEYS);
    const settings = readHttpClient(field, context);
    if (!isBlank(child(field, 'follow_redirects')) && settings.followsRedirects) warnOfRedirects(field);
    return settings;
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
  if (!document.ok) return { ok: false, text: renderDiagnostics(document.diagnostics.map(withoutQuotes)) };
  const problems: Diagnostic[] = [];
  const context: ReadContext = { directory: dirname(file), files: [], tls: [] };
  const value = read(rootField({ ...document, value: document.value ?? {} }, problems), context);
  await Promise.all(context.files.map(checkFile));
  await Promise.all(context.tls.map(checkTls));
  // Without the lines at fault: they may hold secrets, in more ways than anybody can think of.
  const text = renderDiagnostics(problems);
  return problems.some(({ severity }) => severity === 'error') ? { ok: false, text } : { ok: true, value, text };
}

/** How sentences about YAML take in what was written: between quotes, in a tag, or after a colon at the end. */
const QUOTED = / ?".*"| !<.*>|: .*$/gs;

function withoutQuotes(diagnostic: Diagnostic): Diagnostic {
  const { message, fix } = diagnostic;
  return { ...diagnostic, message: message.replace(QUOTED, ''), fix: fix.replace(/^define &\S+/, 'define its anchor') };
}

function warnOfRedirects(field: Field): void {
  const message = '"follow_redirects" has no effect: no query follows a redirect';
  const fix = 'remove it, and set PROMETHEUS_URL to where redirects lead';
  const place = field.document.locate([...field.path, 'follow_redirects'], 'key');
  field.problems.push({ file: field.document.file, ...place, severity: 'warning', message, fix });
}

async function checkFile({ field, path }: NamedFile): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = isAbsent ? 'there is no such file' : 'the file cannot be read';
    complain(field, message, 'name a file that this process may read, relative to this one');
  }
}

async function checkTls({ field, settings }: WrittenTls): Promise<void> {
  // A file that cannot be read has been reported by its name.
  const pems = await readPems(settings).catch(() => ({}));
  for (const { part, message, fix } of pemProblems(pems)) {
    const source = settings[part];
    const name = source !== undefined && 'file' in source ? `${part}_file` : part;
    complain(child(field, name), `"${name}" ${message}`, fix);
  }
}
