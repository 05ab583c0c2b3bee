/** The layout as a test: who may import whom, how long a file may be, and what the core must not know. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MAX_LINES = 300;

/** A layer imports its own files, and those of the layers named here. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'engine/core': [],
  // What any part may say about texts.
  'engine/text': [],
  'engine/promql': ['engine/text'],
  'engine/policy': ['engine/core', 'engine/promql'],
  'engine/store': ['engine/core', 'engine/text'],
  // Reads its settings from YAML, with the diagnostics of policy files.
  'engine/http-client': ['engine/policy', 'engine/text'],
  'engine/prometheus': ['engine/core', 'engine/http-client', 'engine/text'],
  'engine/rules': ['engine/core', 'engine/policy', 'engine/prometheus', 'engine/promql', 'engine/store', 'engine/text'],
  // The alerting file and target files are YAML too.
  'engine/alertmanager': ['engine/core', 'engine/policy', 'engine/promql', 'engine/http-client', 'engine/text'],
  'engine/ping': [
    'engine/core',
    'engine/policy',
    'engine/prometheus',
    'engine/store',
    'engine/http-client',
    'engine/text',
  ],
  'engine/metrics': ['engine/core', 'engine/prometheus', 'engine/rules', 'engine/alertmanager', 'engine/ping'],
  'engine/page': ['engine/core', 'engine/ping', 'engine/policy', 'engine/rules', 'engine/text'],
  'engine/http': [
    'engine/core',
    'engine/metrics',
    'engine/page',
    'engine/ping',
    'engine/prometheus',
    'engine/promql',
    'engine/rules',
    'engine/store',
    'engine/text',
  ],
  'engine/unit-tests': [
    'engine',
    'engine/core',
    'engine/policy',
    'engine/promql',
    'engine/prometheus',
    'engine/rules',
    'engine/stack',
    'engine/store',
    'engine/text',
  ],
  'engine/stack': ['engine/alertmanager', 'engine/text'],
  'engine/cli': [
    'engine',
    'engine/unit-tests',
    'engine/policy',
    'engine/promql',
    'engine/rules',
    'engine/alertmanager',
    'engine/stack',
    'engine/text',
  ],
  engine: [
    'engine/core',
    'engine/promql',
    'engine/policy',
    'engine/store',
    'engine/http-client',
    'engine/prometheus',
    'engine/rules',
    'engine/alertmanager',
    'engine/metrics',
    'engine/ping',
    'engine/http',
    'engine/text',
  ],
  'exporter/source': ['exporter'],
  'exporter/metrics': ['exporter'],
  'exporter/agent': ['exporter'],
  'exporter/gpud': ['exporter'],
  'exporter/web': ['exporter'],
  'exporter/config': ['exporter'],
  exporter: [
    'exporter/source',
    'exporter/metrics',
    'exporter/agent',
    'exporter/gpud',
    'exporter/web',
    'exporter/config',
  ],
};

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const FILES: readonly SourceFile[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter((path) => path !== '')
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

const PRODUCT = FILES.filter(({ path }) => !path.startsWith('test/'));
const CORE = FILES.filter(({ path }) => path.startsWith('engine/core/'));

function layerOf(path: string): string {
  const layers = Object.keys(LAYERS).sort((a, b) => b.length - a.length);
  return layers.find((layer) => path.startsWith(`${layer}/`)) ?? '';
}

function importsOf({ text }: SourceFile): readonly string[] {
  return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, target = '']) => target);
}

function relativeImports(file: SourceFile): readonly string[] {
  return importsOf(file)
    .filter((target) => target.startsWith('.') && extname(target) === '.ts')
    .map((target) => normalize(join(dirname(file.path), target)));
}

describe('layers', () => {
  it('know every product file', () => {
    expect(PRODUCT.filter(({ path }) => path.includes('/') && layerOf(path) === '').map(({ path }) => path)).toEqual(
      [],
    );
    expect(PRODUCT.length).toBeGreaterThan(100);
  });

  it.each(Object.entries(LAYERS))('%s imports only itself and %j', (layer, allowed) => {
    const forbidden = PRODUCT.filter(({ path }) => layerOf(path) === layer).flatMap((file) =>
      relativeImports(file)
        .filter((target) => layerOf(target) !== layer && !allowed.includes(layerOf(target)))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(forbidden).toEqual([]);
  });

  it('keep pings from knowing which store runs', () => {
    const knowing = PRODUCT.filter(({ path }) => path.startsWith('engine/ping/')).flatMap((file) =>
      relativeImports(file).filter((target) => /^engine\/store\/(?!((agent|ping)-)?store\.ts$)/.test(target)),
    );
    expect(knowing).toEqual([]);
  });

  it('keep exporter and engine apart', () => {
    const crossing = PRODUCT.flatMap((file) =>
      relativeImports(file)
        .filter((target) => target.split('/')[0] !== file.path.split('/')[0])
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(crossing).toEqual([]);
  });
});

describe('the core', () => {
  const IMPURE =
    /\b(Date\.now|new Date|Math\.random|process\.|fetch\(|setTimeout|setInterval|console\.|performance\.now)/;

  it('reads no clock, environment, network, disk, log or dice', () => {
    const impure = CORE.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (IMPURE.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
    expect(impure).toEqual([]);
  });

  it('imports nothing but itself and re2js', () => {
    const outside = CORE.flatMap((file) =>
      importsOf(file)
        // Where relative imports may lead is for the layers to say.
        .filter((target) => !target.startsWith('.') && target !== 're2js')
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(outside).toEqual([]);
    expect(CORE.length).toBeGreaterThan(15);
  });
});

describe('files', () => {
  it(`have at most ${MAX_LINES} lines`, () => {
    const long = PRODUCT.filter(({ text }) => text.split('\n').length > MAX_LINES).map(({ path }) => path);
    expect(long).toEqual([]);
  });

  it('are named for the noun they own', () => {
    const vague = PRODUCT.filter(({ path }) =>
      /^(utils?|helpers?|common|types|index|misc|shared)\.ts$/.test(basename(path)),
    );
    expect(vague.map(({ path }) => path)).toEqual([]);
  });

  it('are kebab-case', () => {
    const odd = FILES.filter(({ path }) => !/^[a-z0-9-]+(\.(test|config|d))?\.ts$/.test(basename(path)));
    expect(odd.map(({ path }) => path)).toEqual([]);
  });

  it('silence no checker and leave nothing for later', () => {
    const marks =
      /@ts-(ignore|nocheck|expect-error)|biome-ignore|\b(TODO|FIXME|XXX)\b|\b(it|test|describe)\.(only|todo)\b/;
    const marked = FILES.filter(({ path, text }) => path !== 'test/architecture.test.ts' && marks.test(text)).map(
      ({ path }) => path,
    );
    expect(marked).toEqual([]);
  });
});

describe('the top level', () => {
  it('stays as the README lists it', () => {
    const entries = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
      .split('\n')
      .filter((path) => path !== '')
      .map((path) => path.split('/')[0] ?? '');
    expect([...new Set(entries)].filter((name) => !ALLOWED.includes(name))).toEqual([]);
  });
});

const ALLOWED = [
  'exporter',
  'engine',
  'rules',
  'alertmanager',
  'grafana',
  'test',
  '.ci',
  'docker-compose.yml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'biome.json',
  'knip.json',
  'vitest.config.ts',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  '.gitignore',
  '.dockerignore',
  '.npmrc',
];
