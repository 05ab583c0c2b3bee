/** How simulated agents answer, well and in every other way. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Cursor } from '../../exporter/agent/uptime-report.ts';
import type { AgentLife } from './agent-life.ts';

export interface AskedAgent {
  readonly life: AgentLife;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly atMs: number;
}

const HUGE = Buffer.alloc(10 * 1024 * 1024, ' ');
const BOMB = gzipSync(HUGE);
const DRIP_MS = 1000;

export const BEHAVIOURS = {
  good: (asked) => send(asked, 200, JSON.stringify(answerOf(asked))),
  /** As good, while its GPU is away: its own checks say so. */
  no_gpu: (asked) => send(asked, 200, JSON.stringify(answerOf(asked))),
  /** Forgets everything before each answer. */
  forgets: (asked) => {
    asked.life.restart(asked.atMs);
    send(asked, 200, JSON.stringify(answerOf(asked)));
  },
  /** Its figures are better than its own seconds allow. */
  contradicts: (asked) => send(asked, 200, JSON.stringify({ ...answerOf(asked), span_seconds: 1e6 })),
  hangs: () => {},
  drips: ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    const drip = setInterval(() => response.write('{'), DRIP_MS);
    response.on('close', () => clearInterval(drip));
  },
  garbage: (asked) => send(asked, 200, '<html>Please log in'),
  half: (asked) => send(asked, 200, JSON.stringify(answerOf(asked)).slice(0, 100)),
  huge: (asked) => send(asked, 200, HUGE),
  bomb: (asked) => send(asked, 200, BOMB, { 'content-encoding': 'gzip' }),
  redirects: (asked) => send(asked, 302, '', { location: 'http://169.254.169.254/latest/meta-data' }),
  unavailable: (asked) => send(asked, 503, 'busy', { 'retry-after': '2' }),
  too_many: (asked) => send(asked, 429, 'slow down', { 'retry-after': '1' }),
  resets: ({ request }) => void request.socket.resetAndDestroy(),
  /** Nothing listens; where the port is not its own, every connection ends without a word. */
  closed: ({ request }) => void request.socket.destroy(),
} as const satisfies Readonly<Record<string, (asked: AskedAgent) => void>>;

export type Behaviour = keyof typeof BEHAVIOURS;

/** What a well-behaved agent would say. Both of the cursor, or neither, as the real one demands. */
function answerOf({ life, request, atMs }: AskedAgent) {
  const { searchParams } = new URL(request.url ?? '', 'http://agent');
  const [since, bootId] = [searchParams.get('since'), searchParams.get('boot_id')];
  const cursor: Cursor | undefined = since === null || bootId === null ? undefined : { since: Number(since), bootId };
  return life.answer(cursor, atMs);
}

function send(
  { response }: AskedAgent,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(body);
}
