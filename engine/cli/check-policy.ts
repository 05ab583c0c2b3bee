/** What a policy amounts to: every value in effect with its source, and a line per capability. */
import type { Environment } from '../policy/environment-layer.ts';
import { loadPolicy } from '../policy/load.ts';
import { formatOrigin, type Setting } from '../policy/provenance.ts';
import { summarizeCapability } from '../policy/summary.ts';
import type { RuleSource } from '../rules/rule-file.ts';
import type { CheckedFile } from './checked-file.ts';

// Long expressions stick out of their column rather than push every source off the screen.
const WIDEST_VALUE = 36;

export function checkPolicy({ file, text }: RuleSource, env: Environment): CheckedFile {
  const outcome = loadPolicy({ file, source: text, env });
  if (!outcome.ok) return { file, text, diagnostics: outcome.diagnostics, summary: [], facts: { kind: 'policy' } };
  const { policy, provenance, warnings } = outcome;
  const capabilities = policy.capabilities.map((one) => `${one.name}: ${summarizeCapability(one)}`);
  const summary = [
    `${file}: valid, revision ${policy.revision}`,
    '',
    ...settingsTable(provenance),
    '',
    ...capabilities,
  ];
  const settings = provenance.map(({ path, value, origin }) => ({ key: path.join('.'), value, origin }));
  const facts = { kind: 'policy', revision: policy.revision, settings, capabilities: policy.capabilities };
  return { file, text, diagnostics: warnings, summary, facts };
}

function settingsTable(settings: readonly Setting[]): string[] {
  const rows = settings.map(
    ({ path, value, origin }) => [path.join('.'), formatValue(value), formatOrigin(origin)] as const,
  );
  const keyWidth = Math.max(...rows.map(([key]) => key.length));
  const valueWidth = Math.min(WIDEST_VALUE, Math.max(...rows.map(([, value]) => value.length)));
  return rows.map(([key, value, source]) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${source}`);
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (value === null) return 'off';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
