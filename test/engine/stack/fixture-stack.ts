/** Plans fixture parts on free ports. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlannedPart } from '../../../engine/stack/supervisor.ts';
import { freePort } from '../../servers/free-port.ts';

const FIXTURE_PART = fileURLToPath(import.meta.resolve('./fixture-part.ts'));

export interface PlannedFixture extends PlannedPart {
  readonly address: string;
}

export interface FixtureOptions {
  readonly name: string;
  readonly directory: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
  readonly readyTimeoutMs?: number;
}

export async function plannedFixture({
  name,
  directory,
  env,
  args = [],
  readyTimeoutMs = 5_000,
}: FixtureOptions): Promise<PlannedFixture> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const spec = {
    name,
    program: process.execPath,
    args: [...args, FIXTURE_PART],
    env: { ...process.env, ...env, FIXTURE_PORT: String(port) },
    cwd: directory,
    logFile: join(directory, `${name}.log`),
  };
  return { spec, readyUrl: `${address}/-/ready`, readyTimeoutMs, address };
}
