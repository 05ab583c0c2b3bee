/** What a file is, told by its content: policy, rules, or something that another tool checks. */
import { nearestName } from '../policy/nearest-name.ts';
import { parseDocument } from '../rules/yaml/document.ts';
import { followAlias } from '../rules/yaml/node.ts';

export type FileKind = 'policy' | 'rules' | 'tests' | 'prometheus' | 'alertmanager' | 'kubernetes';

/** The keys at the top that give a file away; the first row that fits wins. */
const SIGNS: readonly (readonly [kind: FileKind, ...keys: string[]])[] = [
  ['tests', 'tests'],
  ['rules', 'groups'],
  ['kubernetes', 'apiVersion'],
  ['prometheus', 'scrape_configs', 'global', 'rule_files'],
  ['alertmanager', 'route', 'receivers'],
];

/** A file without a sign is a policy: all of a policy is optional. No key of a policy looks like `groups`. */
export function fileKind(text: string): FileKind {
  const keys = topKeys(text);
  const kind = SIGNS.find(([, ...signs]) => signs.some((sign) => keys.includes(sign)))?.[0];
  if (kind !== undefined) return kind;
  return keys.some((key) => nearestName(key, ['groups']) !== undefined) ? 'rules' : 'policy';
}

function topKeys(text: string): readonly string[] {
  const document = parseDocument(text);
  if (!document.ok) return Array.from(text.matchAll(/^["']?(\w+)["']?\s*:/gm), ([, key = '']) => key);
  const root = document.root && followAlias(document.root);
  if (root?.kind !== 'mapping') return [];
  return root.pairs.flatMap(([key]) => (key.kind === 'scalar' ? [key.value.text] : []));
}

/** Who checks the kinds that are not checked here. */
export const NOT_CHECKED: Readonly<Record<Exclude<FileKind, 'policy' | 'rules'>, (file: string) => string>> = {
  tests: (file) => `${file}: holds unit tests, which "gpu-uptime test ${file}" runs`,
  prometheus: (file) => `${file}: configures Prometheus, which "promtool check config ${file}" checks`,
  alertmanager: (file) => `${file}: configures Alertmanager, which "amtool check-config ${file}" checks`,
  kubernetes: (file) => `${file}: is a Kubernetes object; put what stands under "spec" into a file to check it`,
};
