/** Alertmanagers from files that something else keeps fresh. */
import { glob, readFile } from 'node:fs/promises';
import { type Diagnostic, renderDiagnostics } from '../../policy/diagnostics.ts';
import { parseYaml } from '../../policy/yaml.ts';
import { readList, rootField } from '../../policy/yaml-fields.ts';
import { messageOf } from '../../text/message-of.ts';
import type { SourceSettings } from '../alerting.ts';
import { type Answer, LastGood, type TargetSource } from './source.ts';
import { readTargetGroup } from './target-group.ts';

type FileSettings = Extract<SourceSettings, { readonly kind: 'file' }>;

/** Looking at a few small files costs nothing, and unlike watching works on every kind of file system. */
const LOOK_EVERY_MS = 5000;

/** Reads every file that matches. One that cannot be used keeps its last good targets; one that is gone has none. */
export function fileSource({ patterns, refreshMs }: FileSettings): TargetSource {
  const last = new LastGood();
  return {
    refreshMs: Math.min(refreshMs, LOOK_EVERY_MS),
    find: async () => {
      try {
        const files = (await Promise.all(patterns.map((pattern) => Array.fromAsync(glob(pattern))))).flat().sort();
        const answers = files.map(async (file) => [file, await readTargets(file)] as const);
        return last.update(new Map(await Promise.all(answers)));
      } catch (error) {
        return last.keep(`${patterns.join(', ')} cannot be looked for: ${messageOf(error)}`);
      }
    },
  };
}

async function readTargets(file: string): Promise<Answer> {
  try {
    return targetsIn(file, await readFile(file, 'utf8'));
  } catch (error) {
    return { failed: `${file} cannot be read: ${messageOf(error)}` };
  }
}

/** The targets that a file lists, as JSON or YAML: `[{ "targets": ["host:9093"], "labels": {} }]`. */
function targetsIn(file: string, source: string): Answer {
  const document = parseYaml(source, file);
  const problems: Diagnostic[] = document.ok ? [] : [...document.diagnostics];
  const groups = document.ok ? readList(rootField(document, problems)) : [];
  const targets = groups.flatMap(readTargetGroup).map((target) => ({ ...target, __meta_filepath: file }));
  return problems.length === 0 ? targets : { failed: renderDiagnostics(problems, { [file]: source }).trim() };
}
