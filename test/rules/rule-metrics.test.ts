/** What the rules read exists: in the exporter's profiles, in the engine's metrics, or in Prometheus itself. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALERTS, RECORDS, ROOT } from './rule-files.ts';

const METRICS_PAGE = readFileSync(join(ROOT, 'exporter/METRICS.md'), 'utf8');
const sources = (pattern: string) =>
  globSync(pattern, { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
const SELF_METRICS = sources('exporter/metrics/self-metrics.ts');
const ENGINE_METRICS = sources('engine/metrics/*.ts');

/** The engine writes these names in two halves: the level of a subject is put between. */
const DERIVED = /^gpu_uptime_(?:node_|fleet_)?(ratio|coverage_ratio|status|delay_\w+|consecutive_failures)$/;

function metricsOf(expr: string): readonly string[] {
  const names = expr
    .replace(/"[^"]*"/g, '')
    .matchAll(/\b(?:DCGM_\w+|gpu_\w+|up)\b(?=\s*(?:[[{),]|[-+*/<>=]|\bunless\b|\band\b|\boffset\b|$))/gm);
  return [...new Set([...names].map(([name]) => name))];
}

function isExported(name: string): boolean {
  if (name === 'up') return true;
  if (METRICS_PAGE.includes(`\`${name}\``) || METRICS_PAGE.includes(`\`${name}{`)) return true;
  if (SELF_METRICS.includes(`'${name}'`)) return true;
  const [, suffix] = DERIVED.exec(name) ?? [];
  return ENGINE_METRICS.includes(`'${name}'`) || (suffix !== undefined && ENGINE_METRICS.includes(`'${suffix}'`));
}

const COUNTERS = readFileSync(join(ROOT, 'rules/counters.csv'), 'utf8');
const DEFAULT_COUNTERS = readFileSync(join(ROOT, 'exporter/counters/default-counters.csv'), 'utf8');
const rowsOf = (csv: string) => csv.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const fieldOf = (row: string) => row.split(',')[0] ?? '';

describe.each([...ALERTS, ...RECORDS])('$name', ({ name, expr }) => {
  it('reads metrics, and only such that are exported', () => {
    expect(metricsOf(expr)).not.toEqual([]);
    expect(metricsOf(expr).filter((metric) => !isExported(metric))).toEqual([]);
  });

  it('finds its DCGM fields in counters.csv, and says so where they are no defaults', () => {
    const fields = metricsOf(expr).filter((metric) => metric.startsWith('DCGM_'));
    const published = rowsOf(COUNTERS).map(fieldOf);
    expect(fields.filter((field) => !published.includes(field))).toEqual([]);
    const defaults = rowsOf(DEFAULT_COUNTERS).map(fieldOf);
    const runbook = fields.every((field) => defaults.includes(field))
      ? '../counters.csv'
      : readFileSync(join(ROOT, `rules/runbooks/${name}.md`), 'utf8');
    expect(runbook).toContain('../counters.csv');
  });
});

describe('rules/counters.csv', () => {
  it('holds every default of the exporter', () => {
    const rows = rowsOf(COUNTERS);
    expect(rowsOf(DEFAULT_COUNTERS).filter((row) => !rows.includes(row))).toEqual([]);
  });

  it('holds beyond them only what the rules read', () => {
    const read = new Set([...ALERTS, ...RECORDS].flatMap(({ expr }) => metricsOf(expr)));
    const defaults = rowsOf(DEFAULT_COUNTERS).map(fieldOf);
    const more = rowsOf(COUNTERS)
      .map(fieldOf)
      .filter((field) => !defaults.includes(field));
    expect(more.length).toBe(8);
    expect(more.filter((field) => !read.has(field))).toEqual([]);
  });
});
