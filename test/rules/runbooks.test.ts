/** Each alert has a page that an on-call engineer can follow: its parts are there, and what it tells to ask exists. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, codeSpans, readDocument, tableRows } from '../docs/documents.ts';
import { ALERTS, ROOT } from './rule-files.ts';

const EXPORTER_README = readDocument('exporter/README.md');
const ENGINE_ENDPOINTS = tableRows(readDocument('README.md'), 'endpoint').map(([cell = '']) =>
  cell.replaceAll('`', ''),
);
const EXPORTER_PATHS = tableRows(EXPORTER_README, 'path').flatMap(([cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
);
const METRIC_SOURCES = globSync(
  ['exporter/METRICS.md', 'exporter/metrics/*.ts', 'engine/metrics/*.ts', 'rules/alerts/*.yml'],
  {
    cwd: ROOT,
  },
)
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n');

/** Programs that a node with GPUs, its neighbours or the engine's machine have, with the flags that may be shown. */
const PROGRAMS: Readonly<Record<string, RegExp>> = {
  'nvidia-smi':
    /^nvidia-smi(?: (?:-q|-L|-d [A-Z_,]+|-i <gpu>|-i <gpus>|--gpu-reset|-pl (?:\d+|<default>)|-lgc \d+,\d+|--query-compute-apps=[\w,]+|--format=csv|nvlink|-s|-e|topo -m))*$/,
  dcgmi: /^dcgmi (?:diag -r [1-4]|discovery -l)$/,
  dmesg: /^dmesg(?: -T)? \| grep -i (?:xid|-e xid -e "fallen off")$/,
  ipmitool: /^ipmitool (?:sdr type (?:"Power Supply"|Fan)|chassis power status|sel list)$/,
  lspci: /^lspci (?:-d 10de:|-vvv -s <bus id>)$/,
  curl: /^curl (?:-sS|-X DELETE) http:\/\/<[a-z]+>(\/\S+)(?: \| (?:head|grep -c \w+))?$/,
  systemctl: /^systemctl (?:status|restart) (?:gpu-uptime-exporter|nvidia-fabricmanager)$/,
  journalctl: /^journalctl -u nvidia-fabricmanager$/,
  timedatectl: /^timedatectl$/,
  chronyc: /^chronyc (?:tracking|makestep)$/,
};

function isPath(path: string): boolean {
  const documented = [...EXPORTER_PATHS, ...ENGINE_ENDPOINTS.map((endpoint) => endpoint.replace(/^\w+ /, ''))];
  const agent = ['/agent/health', '/agent/gpu-status', '/agent/uptime-since-last-ping'];
  return [...documented, ...agent].includes(path.replace(/<uuid>/, '{uuid}'));
}

describe.each(ALERTS)('the runbook of $name', ({ name, written: { labels } }) => {
  const page = readDocument(`rules/runbooks/${name}.md`);

  it('has the four parts, in this order', () => {
    expect(anchors(page)).toEqual([name.toLowerCase(), 'what-it-means', 'first-checks', 'fix', 'when-it-clears']);
    expect(page.text.match(/^\d\. /gm)?.length ?? 0).toBeGreaterThanOrEqual(2);
    expect(page.text.match(/^- /gm)?.length ?? 0).toBeGreaterThanOrEqual(2);
  });

  it('begins with severity, action and team of the rule', () => {
    expect(page.text.split('\n')[2]).toContain(
      `Severity ${labels.severity}, action ${labels.action}, team ${labels.team}.`,
    );
  });

  it('names only metrics that exist', () => {
    const names = codeSpans(page).flatMap(
      (code) => code.match(/\b(?:DCGM_FI_\w+|gpu_(?:uptime|exporter|xid|nvlink)_\w+)\b/g) ?? [],
    );
    const halves = (metric: string) => metric.replace(/^gpu_uptime_(?:node_|fleet_)?/, '');
    const isThere = (metric: string) =>
      METRIC_SOURCES.includes(metric) || METRIC_SOURCES.includes(`suffix: '${halves(metric)}'`);
    expect(names.filter((metric) => !isThere(metric))).toEqual([]);
  });

  it('asks only endpoints that the engine has', () => {
    const asked = codeSpans(page).flatMap((code) => /^(?:GET|POST|DELETE) \/[^?]*/.exec(code)?.[0] ?? []);
    expect(asked.filter((endpoint) => !ENGINE_ENDPOINTS.includes(endpoint))).toEqual([]);
  });

  it('shows only commands and flags that are known', () => {
    const commands = codeSpans(page).filter((code) => Object.keys(PROGRAMS).includes(code.split(' ')[0] ?? ''));
    expect(commands.filter((command) => PROGRAMS[command.split(' ')[0] ?? '']?.test(command) !== true)).toEqual([]);
    const paths = commands.flatMap((command) => PROGRAMS.curl?.exec(command)?.[1] ?? []);
    const others = ['/-/ready', '/-/healthy', '/metrics'];
    expect(paths.filter((path) => !isPath(path) && !others.includes(path))).toEqual([]);
  });
});
