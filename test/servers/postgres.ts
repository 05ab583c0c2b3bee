/** A real PostgreSQL with a cluster of its own, which disappears when it is stopped. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type QueryResult } from 'pg';
import { isExecutable } from './executable.ts';
import { freePort } from './free-port.ts';
import { serverDirectory } from './server.ts';

export interface PostgresServer {
  readonly port: number;
  /** Where its log and data lie until `stop`. */
  readonly directory: string;
  /** The address of a database, by default of the one that is there from the beginning. */
  url(database?: string): string;
  /** Creates an empty database, and gives its address. */
  createDatabase(options?: string): Promise<string>;
  /** Runs statements on a connection of their own. */
  run(sql: string, url?: string): Promise<QueryResult>;
  /** Runs statements in a transaction that stays open until it is let go. */
  hold(sql: string, url: string): Promise<() => Promise<void>>;
  /** An orderly shutdown that ends all connections; `start` brings it back on the same port. */
  shutDown(): Promise<void>;
  start(): Promise<void>;
  /** Whoever asks hears nothing, as from a machine that hangs, until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface PostgresStart {
  /** Lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** Lines of pg_hba.conf that come before "anybody from 127.0.0.1". */
  readonly access?: readonly string[];
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

const READY_MS = 30_000;
const STOP_MS = 5_000;
const CONNECT_MS = 5_000;
/** From here on databases can be compared by the rules of a language without the system's help. */
const FIRST_WITH_ICU = 15;

// What a crashed test file leaves running ends with its process.
const alive = new Set<number>();
process.once('exit', () => alive.forEach((pid) => void signal(pid, 'SIGQUIT')));

/** Whether there is one; says aloud that tests are skipped where a developer has none, and throws in CI. */
export function hasPostgres(): boolean {
  if (findPrograms() !== undefined) return true;
  const sentence =
    'PostgreSQL is needed for these tests: initdb and postgres are neither on PATH nor in /usr/lib/postgresql/*/bin; apt-get install postgresql';
  if (process.env.CI) throw new Error(sentence);
  console.warn(`SKIPPED: ${sentence}`);
  return false;
}

export async function startPostgres({ settings = [], access = [] }: PostgresStart = {}): Promise<PostgresServer> {
  const programs = findPrograms();
  if (programs === undefined) throw new Error('there is no PostgreSQL');
  const directory = serverDirectory('postgres');
  const port = await freePort();
  initialise(programs, directory);
  const data = join(directory, 'data');
  writeFileSync(join(data, 'pg_hba.conf'), [...access, 'host all all 127.0.0.1/32 trust', ''].join('\n'));
  writeFileSync(join(data, 'postgresql.auto.conf'), [...SETTINGS, `port = ${port}`, ...settings, ''].join('\n'));
  const cluster = new Cluster(programs.postgres, directory, port);
  await cluster.start();
  return cluster;
}

const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  'max_connections = 50',
  'shared_buffers = 32MB',
  'fsync = off',
];

class Cluster implements PostgresServer {
  readonly port: number;
  readonly directory: string;
  readonly #program: string;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #databases = 0;

  constructor(program: string, directory: string, port: number) {
    this.#program = program;
    this.directory = directory;
    this.port = port;
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async createDatabase(options = ''): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.run(`CREATE DATABASE ${name} ${options}`);
    return this.url(name);
  }

  async run(sql: string, url = this.url()): Promise<QueryResult> {
    const client = await connect(url);
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async hold(sql: string, url: string): Promise<() => Promise<void>> {
    const client = await connect(url);
    await client.query(`BEGIN; ${sql}`);
    return () => client.end();
  }

  async start(): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a');
    const child = spawn(this.#program, ['-D', join(this.directory, 'data')], {
      ...owner(),
      stdio: ['ignore', log, log],
    });
    this.#child = child;
    this.#ended = once(child, 'exit');
    if (child.pid !== undefined) alive.add(child.pid);
    const endMs = Date.now() + READY_MS;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || Date.now() > endMs) throw new Error(`postgres is not ready\n${this.#log()}`);
      await sleep(20);
    }
  }

  async shutDown(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    signal(pid, 'SIGINT');
    const patience = sleep(STOP_MS, undefined, { ref: false }).then(() => void signal(pid, 'SIGQUIT'));
    await Promise.race([this.#ended, patience]);
    await this.#ended;
    alive.delete(pid);
    this.#child = undefined;
  }

  freeze(): void {
    for (const pid of this.#pids()) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.#pids()) signal(pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.shutDown();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      await this.run('SELECT 1');
      return true;
    } catch {
      return false;
    }
  }

  /** Of the server and of its processes, one for each connection. */
  #pids(): readonly number[] {
    const pid = this.#child?.pid;
    if (pid === undefined) return [];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return [pid, ...children.filter((text) => text.trim() !== '').map(Number)];
  }

  #log(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8');
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  // A server that is shut down tells its clients.
  client.on('error', () => {});
  await client.connect();
  return client;
}

function initialise({ initdb }: Programs, directory: string): void {
  const { uid, gid } = owner();
  if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid);
  const trust = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'];
  const args = [`--pgdata=${join(directory, 'data')}`, ...trust, '--locale=C', ...languageRules(initdb)];
  execFileSync(initdb, args, { ...owner(), cwd: directory, stdio: 'pipe' });
}

/** Those of English, so that an order by bytes has to be asked for. */
function languageRules(initdb: string): readonly string[] {
  const version = execFileSync(initdb, ['--version'], { encoding: 'utf8' }).match(/(\d+)/)?.[1];
  return Number(version) >= FIRST_WITH_ICU ? ['--locale-provider=icu', '--icu-locale=en-US'] : [];
}

/** The server refuses to run as root: nobody has what it needs as well. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((which) => Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' })));
  return uid === undefined || gid === undefined ? {} : { uid, gid };
}

/** The newest that has both. */
function findPrograms(): Programs | undefined {
  const versions = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return [...(process.env.PATH ?? '').split(delimiter), ...versions]
    .map((folder) => ({ initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }))
    .find(({ initdb, postgres }) => isExecutable(initdb) && isExecutable(postgres));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone.
  }
}
