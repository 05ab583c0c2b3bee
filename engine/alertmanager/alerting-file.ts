/** A prometheus.yml, or a part of one, from which only what concerns Alertmanagers is read. */
import type { LabelSet } from '../core/alert.ts';
import type { ReadContext } from '../http-client/settings-fields.ts';
import { type FileOutcome, readSettingsFile } from '../http-client/settings-file.ts';
import {
  child,
  complain,
  complainOfKey,
  type Field,
  isBlank,
  readAnyMapping,
  readList,
  readMapping,
  readNamed,
  readText,
} from '../policy/yaml-fields.ts';
import type { Alerting } from './alerting.ts';
import { readGroup } from './alertmanager-fields.ts';
import { readRelabelRules } from './relabel-fields.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `global.external_labels` and `alerting` of a Prometheus configuration; every other part is Prometheus' own
 * business. `$VAR` and `${VAR}` in external labels are the environment's, as in Prometheus 3. Never throws.
 */
export async function readAlertingFile(file: string, env: Environment): Promise<FileOutcome<Alerting>> {
  return readSettingsFile(file, (root, context) => readAlerting(root, context, env));
}

function readAlerting(root: Field, context: ReadContext, env: Environment): Alerting {
  const isReadable = readAnyMapping(root, 'write "alerting:" and what belongs to it, as in prometheus.yml');
  const alerting = child(root, 'alerting');
  const parts = { externalLabels: isReadable ? readExternalLabels(child(root, 'global'), env) : {} };
  if (isBlank(alerting) || readMapping(alerting, ['alert_relabel_configs', 'alertmanagers']) === undefined) {
    return { ...parts, alertRules: [], groups: [] };
  }
  return {
    ...parts,
    alertRules: readRelabelRules(child(alerting, 'alert_relabel_configs')),
    groups: readList(child(alerting, 'alertmanagers')).flatMap((group) => readGroup(group, context) ?? []),
  };
}

function readExternalLabels(global: Field, env: Environment): LabelSet {
  if (isBlank(global) || readAnyMapping(global, 'write "external_labels:" under it') === undefined) return {};
  const labels = readNamed(child(global, 'external_labels')).map(([name, value]) => {
    if (name === '') complainOfKey(value, 'an external label has no name', 'name it, or remove it');
    return [name, expandVariables(readText(value) ?? '', value, env)] as const;
  });
  return Object.fromEntries(labels.filter(([, value]) => value !== ''));
}

/** `$$` is a dollar sign. */
const VARIABLE = /\$(?:(\$)|\{(\w+)\}|(\w+))/g;

function expandVariables(text: string, field: Field, env: Environment): string {
  type Found = [dollar: string | undefined, braced: string | undefined, bare: string | undefined, at: number];
  return text.replace(VARIABLE, (written: string, ...[dollar, braced, bare, at]: Found) => {
    const value = dollar ?? env[braced ?? bare ?? ''];
    const place = field.document.locateInScalar(field.path, at, at + written.length);
    if (value === undefined) complain(field, 'this variable is not set', 'set it, or write $$ for a dollar', place);
    return value ?? '';
  });
}
