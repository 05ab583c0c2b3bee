import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enginePart, exporterPart, prometheusPart } from '../../../engine/stack/parts.ts';
import { readDockerfile } from '../../compose/compose-file.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PORTS = { exporter: 1, prometheus: 2, alertmanager: 3, engine: 4, notifications: 5 };
const PLAN = { settings: { root: '/repo', dataDir: '/data', toolsDir: '/tools', env: {} }, ports: PORTS };

describe.each([
  { name: 'engine', part: enginePart, expected: ['--max-semi-space-size=4'] },
  { name: 'exporter', part: exporterPart, expected: ['--no-concurrent-recompilation'] },
])('$name', ({ name, part, expected }) => {
  it('gives Node.js the flags that the npm script and the image give it', () => {
    const { args } = part(PLAN).spec;
    const flags = args.slice(0, args.indexOf('--import'));
    expect(flags).toEqual(expected);
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts[name]).toMatch(`node ${flags.join(' ')} `);
    const command = readDockerfile(`${name}/Dockerfile`).find(([instruction]) => instruction === 'CMD')?.[1];
    expect(JSON.parse(command ?? '')).toEqual(['node', ...flags, `${name}/main.ts`]);
  });
});

describe('enginePart', () => {
  it('gives Node.js the threads for name lookups that the npm script and the image give it', () => {
    const { UV_THREADPOOL_SIZE: threads } = enginePart(PLAN).spec.env;
    expect(threads).toBe('16');
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts.engine).toContain(`UV_THREADPOOL_SIZE=\${UV_THREADPOOL_SIZE:-${threads}} `);
    expect(readDockerfile('engine/Dockerfile')).toContainEqual(['ENV', `UV_THREADPOOL_SIZE=${threads}`]);
  });
});

describe('exporterPart', () => {
  it('serves what the shipped rules read, unless somebody asks for something else', () => {
    expect(exporterPart(PLAN).spec.env).toMatchObject({
      EXPORTER_COUNTERS_FILE: '/repo/rules/counters.csv',
      EXPORTER_PROFILE: 'dcgm,native',
    });
    const settings = { ...PLAN.settings, env: { EXPORTER_PROFILE: 'native', EXPORTER_COUNTERS_FILE: '' } };
    expect(exporterPart({ ...PLAN, settings }).spec.env).toMatchObject({
      EXPORTER_COUNTERS_FILE: '/repo/rules/counters.csv',
      EXPORTER_PROFILE: 'native',
    });
  });
});

describe('exporterPart and enginePart', () => {
  it('let the exporter be registered as an agent and pinged, unless somebody decides otherwise', () => {
    expect(exporterPart(PLAN).spec.env).toMatchObject({
      AGENT_MODE: 'true',
      AGENT_ID: 'agent-001',
      AGENT_CHECKPOINT_FILE: '/data/agent.jsonl',
    });
    expect(enginePart(PLAN).spec.env).toMatchObject({
      POLICY_FILE: '/repo/rules/policy.local.yml',
      UV_THREADPOOL_SIZE: '16',
    });
    const env = { AGENT_MODE: 'false', AGENT_ID: '', POLICY_FILE: 'rules/policy.yml', UV_THREADPOOL_SIZE: '4' };
    const decided = { ...PLAN, settings: { ...PLAN.settings, env } };
    expect(exporterPart(decided).spec.env).toMatchObject({ AGENT_MODE: 'false', AGENT_ID: 'agent-001' });
    expect(enginePart(decided).spec.env).toMatchObject({ POLICY_FILE: 'rules/policy.yml', UV_THREADPOOL_SIZE: '4' });
  });
});

describe('prometheusPart', () => {
  it("takes the engine's results, and listens on this machine only: whoever writes samples forges uptime", () => {
    const tool = { title: 'Prometheus', version: '3.5.0', programs: { prometheus: '/bin/prometheus' } };
    const { args } = prometheusPart(PLAN, tool).spec;
    expect(args).toContain('--web.enable-remote-write-receiver');
    expect(args).toContain('--web.listen-address=127.0.0.1:2');
  });
});
