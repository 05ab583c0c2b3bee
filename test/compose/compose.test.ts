import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT, readComposeFile, readDockerfile, type Service } from './compose-file.ts';

const compose = readComposeFile();
const services = Object.entries(compose.services);
const built = services.filter(([, service]) => service.build !== undefined);
const HAS_COMPOSE = spawnSync('docker', ['compose', 'version']).status === 0;

function mounts({ volumes }: Service): readonly (readonly [string, string])[] {
  return volumes.map((volume) => {
    const [source = '', target = ''] = volume.split(':');
    return [source, target] as const;
  });
}

describe.runIf(HAS_COMPOSE)('docker compose', () => {
  it('accepts the file', () => {
    const { status, stderr } = spawnSync('docker', ['compose', 'config', '--quiet'], { cwd: ROOT, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('docker-compose.yml', () => {
  it('has every part of the system', () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      'alertmanager',
      'engine',
      'exporter',
      'grafana',
      'node-exporter',
      'prometheus',
      'receiver',
    ]);
  });

  it.each(services)('%s runs a pinned image as an ordinary user', (_name, { image, user }) => {
    expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+$/);
    expect(user).toMatch(/^[1-9]\d*:\d+$/);
  });

  it.each(services)('%s opens its ports on the loopback address only', (_name, { ports }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-(\d+)\}:\1$/);
  });

  it.each(services)('%s mounts only what exists, and read-only what comes from the repository', (_name, service) => {
    for (const [source, target] of mounts(service)) {
      if (source.startsWith('.')) expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
      else if (source !== '/') expect(Object.keys(compose.volumes)).toContain(source);
      const isOurs = !source.startsWith('.') && source !== '/';
      const volume = service.volumes.find((text) => text.startsWith(`${source}:${target}`));
      expect([volume, volume?.includes(':ro')]).toEqual([volume, !isOurs]);
    }
  });

  it('declares no volume that nobody uses', () => {
    const used = services.flatMap(([, service]) => mounts(service).map(([source]) => source));
    expect(Object.keys(compose.volumes).filter((name) => !used.includes(name))).toEqual([]);
  });

  it.each(services)('%s waits only for services that exist', (_name, service) => {
    for (const name of Object.keys(service.depends_on)) expect(Object.keys(compose.services)).toContain(name);
  });

  it.each(services)('%s is asked for its health on a port that it serves', (name, service) => {
    const asked = /127\.0\.0\.1:(\d+)/.exec(service.healthcheck.test.join(' '))?.[1];
    expect(asked).toBe(servedPort(name, service));
  });

  it('gives Prometheus exactly the services that rules/prometheus.yml scrapes, on their ports', () => {
    for (const target of scrapeTargets().filter((one) => !one.startsWith('localhost:'))) {
      const [host = '', port] = target.split(':');
      const service = compose.services[host];
      expect([target, service && servedPort(host, service)]).toEqual([target, port]);
    }
  });

  it('gives Prometheus the rule files that it names', () => {
    const { rule_files } = z
      .looseObject({ rule_files: z.array(z.string()) })
      .parse(load(readFileSync(join(ROOT, 'rules/prometheus.yml'), 'utf8')));
    const mounted = new Map(services.flatMap(([name, one]) => (name === 'prometheus' ? mounts(one) : [])).map(swap));
    for (const file of rule_files) {
      const folder = mounted.get(`/etc/prometheus/${dirname(file)}`) ?? 'nowhere';
      expect([file, existsSync(join(ROOT, folder, basename(file)))]).toEqual([file, true]);
    }
  });

  it("sends Alertmanager's notifications to the receiver", () => {
    const text = readFileSync(join(ROOT, 'alertmanager/alertmanager.yml'), 'utf8');
    const hosts = new Set([...text.matchAll(/^ *- url: http:\/\/([^/]+)/gm)].map(([, host]) => host));
    expect([...hosts]).toEqual(['receiver:9095']);
    expect(compose.services.receiver?.ports).toEqual([expect.stringMatching(/:9095$/)]);
  });

  it('connects Grafana to Prometheus', () => {
    const text = readFileSync(join(ROOT, 'grafana/provisioning/datasources/prometheus.yml'), 'utf8');
    expect(load(text)).toMatchObject({ datasources: [{ uid: 'prometheus', url: 'http://prometheus:9090' }] });
  });
});

describe('what a stranger could reach', () => {
  it('is no Prometheus that takes in samples: whoever writes them forges uptime', () => {
    const { command = [], ports = [] } = compose.services.prometheus ?? {};
    expect(command.filter((flag) => /otlp-receiver|admin-api/.test(flag))).toEqual([]);
    expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)]);
  });

  it('is no Grafana with an account that has a well-known password', () => {
    expect(compose.services.grafana?.environment).toMatchObject({
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_AUTH_BASIC_ENABLED: 'false',
    });
  });
});

describe('Dockerfiles', () => {
  it.each(built)('%s is built from a Dockerfile beside its process', (_name, { build }) => {
    expect(build?.context).toBe('.');
    expect(existsSync(join(ROOT, build?.dockerfile ?? ''))).toBe(true);
  });

  it.each(built)('%s copies only what exists and is sent to the builder', (_name, { build }) => {
    for (const source of copied(build?.dockerfile ?? '')) {
      expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
      expect([source, isSent(source)]).toEqual([source, true]);
    }
  });

  it.each(built)(
    '%s runs on the runtime of package.json, as an ordinary user, with a health check',
    (_name, { build }) => {
      const instructions = readDockerfile(build?.dockerfile ?? '');
      const argumentsOf = (name: string) => instructions.filter(([one]) => one === name).map(([, rest]) => rest);
      const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      expect(argumentsOf('FROM').at(-1)).toMatch(new RegExp(`^node:${devDependencies.node}-slim\\b`));
      expect(argumentsOf('USER').at(-1)).toMatch(/^(node|1000(:1000)?)$/);
      expect(argumentsOf('HEALTHCHECK')).toHaveLength(1);
    },
  );
});

function swap([source, target]: readonly [string, string]): readonly [string, string] {
  return [target, source];
}

/** The port that a service publishes, or that its command names. */
function servedPort(name: string, { ports }: Service): string | undefined {
  return name === 'node-exporter' ? '9100' : ports[0]?.split(':').at(-1);
}

function scrapeTargets(): readonly string[] {
  const Job = z.looseObject({
    static_configs: z.array(z.strictObject({ targets: z.array(z.string()) })).default([]),
    http_sd_configs: z.array(z.looseObject({ url: z.string() })).default([]),
  });
  const config = z.looseObject({ scrape_configs: z.array(Job) });
  const text = readFileSync(join(ROOT, 'rules/prometheus.yml'), 'utf8');
  const { scrape_configs } = config.parse(load(text));
  return scrape_configs.flatMap(({ static_configs, http_sd_configs }) => [
    ...static_configs.flatMap(({ targets }) => targets),
    ...http_sd_configs.map(({ url }) => new URL(url).host),
  ]);
}

function copied(dockerfile: string): readonly string[] {
  return readDockerfile(dockerfile)
    .filter(([instruction, rest]) => instruction === 'COPY' && !rest.includes('--from='))
    .flatMap(([, rest]) =>
      rest
        .split(' ')
        .filter((word) => !word.startsWith('--'))
        .slice(0, -1),
    );
}

/** .dockerignore starts with `*`, so that only what it takes back is sent. */
function isSent(source: string): boolean {
  const lines = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  return lines.includes('*') && lines.includes(`!${source.split('/')[0]}`);
}
