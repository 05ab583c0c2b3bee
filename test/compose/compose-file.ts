/** docker-compose.yml and the Dockerfiles, read the way Docker reads them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { z } from 'zod';

export const ROOT = join(import.meta.dirname, '../..');

const Healthcheck = z.looseObject({ test: z.array(z.string()).min(2) });

// Strict: a misspelt key is an error here, as it is for docker compose.
const Service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  user: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: Healthcheck,
  restart: z.literal('unless-stopped'),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  tmpfs: z.array(z.string()),
  pids_limit: z.int().positive(),
  mem_limit: z.string().regex(/^\d+[mg]$/),
  networks: z.tuple([z.literal('monitoring')]),
  logging: z.looseObject({ driver: z.string() }),
  pid: z.literal('host').optional(),
});

const ComposeFile = z.looseObject({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
  networks: z.record(z.string(), z.null()),
});

export type Service = z.infer<typeof Service>;

export function readComposeFile(): z.infer<typeof ComposeFile> {
  return ComposeFile.parse(load(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { schema: YAML11_SCHEMA }));
}

/** Every instruction of a Dockerfile with its arguments, continued lines joined and comments left out. */
export function readDockerfile(path: string): readonly (readonly [string, string])[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [instruction = '', ...rest] = line.trim().split(/\s+/);
      return [instruction.toUpperCase(), rest.join(' ')] as const;
    });
}
