/** Policy and alert rules read from disk together: both are good, or neither is used. */
import { readFile } from 'node:fs/promises';
import { type Alerting, NO_ALERTING, withUrls } from './alertmanager/alerting.ts';
import { readAlertingFile } from './alertmanager/alerting-file.ts';
import type { Policy } from './core/policy.ts';
import { type HttpClientSettings, PLAIN_HTTP } from './http-client/settings.ts';
import { readHttpClientFile } from './http-client/settings-file.ts';
import { type AgentAccess, readAgentAccess } from './ping/agent-access.ts';
import { type Diagnostic, renderDiagnostics } from './policy/diagnostics.ts';
import type { Environment } from './policy/environment-layer.ts';
import { loadPolicy } from './policy/load.ts';
import type { RuleGroup } from './rules/rule.ts';
import { loadRulesGently, type RuleOptions, type RuleSource } from './rules/rule-file.ts';
import { readSources } from './rules/rule-sources.ts';
import { messageOf } from './text/message-of.ts';

export interface Configuration {
  readonly policy: Policy;
  readonly groups: readonly RuleGroup[];
  /** Where alerts go. */
  readonly alerting: Alerting;
  /** How Prometheus is reached. */
  readonly prometheusHttp: HttpClientSettings;
  /** What agents are shown, by their address. */
  readonly agentAccess: AgentAccess;
  /** Rendered warnings, empty when there are none. */
  readonly warnings: string;
}

export type ConfigurationOutcome =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly text: string };

export interface ConfigurationFiles {
  readonly policyFile: string;
  /** Globs. */
  readonly ruleFiles: readonly string[];
  /** What groups that say nothing take over. */
  readonly ruleDefaults?: RuleOptions;
  readonly alertmanagerUrls: readonly string[];
  readonly alertingFile: string | undefined;
  readonly prometheusClientFile: string | undefined;
  readonly agentClientFile?: string | undefined;
}

const ABSENT_RULES = 'correct RULE_FILES, or empty it to evaluate none';

/** Reads and checks every file; all problems are reported in one text with file:line and a fix. */
export async function readConfiguration(files: ConfigurationFiles, env: Environment): Promise<ConfigurationOutcome> {
  const missing: string[] = [];
  const policySource = await readSource(files.policyFile, missing);
  const rulesRead = await readSources(files.ruleFiles, { cwd: process.cwd(), absentFix: ABSENT_RULES });
  const ruleSources = rulesRead.sources;
  if (missing.length > 0) return { ok: false, text: missing.join('\n') };
  const policy = loadPolicy({ file: files.policyFile, source: policySource, env });
  const rules = await loadRulesGently(ruleSources, files.ruleDefaults);
  const reach = await readReach(files, env);
  const ofPolicy = policy.ok ? policy.warnings : policy.diagnostics;
  const problems = [...ofPolicy, ...rulesRead.diagnostics, ...rules.diagnostics];
  const text = `${render(problems, [{ file: files.policyFile, text: policySource }, ...ruleSources])}${reach.text}`;
  if (!policy.ok || !reach.ok || problems.some(({ severity }) => severity === 'error')) return { ok: false, text };
  const { alerting, prometheusHttp, agentAccess } = reach;
  const { groups } = rules;
  return {
    ok: true,
    configuration: { policy: policy.policy, groups, alerting, prometheusHttp, agentAccess, warnings: text },
  };
}

const NO_ACCESS: AgentAccess = { accessFor: () => undefined };

/** How other servers are reached; `text` holds what is wrong with it, and warnings. */
async function readReach(
  { alertingFile, prometheusClientFile, agentClientFile, alertmanagerUrls }: ConfigurationFiles,
  env: Environment,
) {
  const plain = { ok: true, text: '' } as const;
  const alerting =
    alertingFile === undefined ? { ...plain, value: NO_ALERTING } : await readAlertingFile(alertingFile, env);
  const http =
    prometheusClientFile === undefined
      ? { ...plain, value: PLAIN_HTTP }
      : await readHttpClientFile(prometheusClientFile);
  const access =
    agentClientFile === undefined ? { ...plain, value: NO_ACCESS } : await readAgentAccess(agentClientFile);
  const text = `${alerting.text}${http.text}${access.text}`;
  if (!alerting.ok || !http.ok || !access.ok) return { ok: false, text } as const;
  const others = { prometheusHttp: http.value, agentAccess: access.value };
  return { ok: true, text, alerting: withUrls(alerting.value, alertmanagerUrls), ...others } as const;
}

async function readSource(file: string, missing: string[]): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    missing.push(`${file}: cannot be read: ${messageOf(error)}`);
    return '';
  }
}

function render(problems: readonly Diagnostic[], sources: readonly RuleSource[]): string {
  return renderDiagnostics(problems, Object.fromEntries(sources.map(({ file, text }) => [file, text])));
}
