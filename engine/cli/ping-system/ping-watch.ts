/** Watches the pings of an engine until it is interrupted: shows its dashboard, and pings where the engine leaves it to others. */
import { setTimeout as delay } from 'node:timers/promises';
import { DashboardAnswer } from '../engine-answers.ts';
import type { EngineAnswer, EngineClient } from '../engine-client.ts';
import type { Paint } from '../paint.ts';
import { dashboardLines } from './dashboard-view.ts';
import { openScreen, type Terminal } from './live-screen.ts';
import { type Orchestrator, startOrchestrator } from './ping-orchestrator.ts';

export interface WatchOptions {
  readonly client: EngineClient;
  readonly first: Dashboard;
  readonly intervalMs: number;
  readonly concurrency: number;
  readonly interruption: AbortSignal;
  /** A terminal to draw on again and again; undefined prints one block after another. */
  readonly screen: Terminal | undefined;
  readonly paint: Paint;
  readonly out: (text: string) => void;
}

/** A dashboard, and when it came. */
export interface Dashboard {
  readonly value: DashboardAnswer;
  readonly atMs: number;
}

const POLL_MS = 1_000;
const REDRAW_MS = 1_000;
// An engine that is back is shown soon, however rarely the dashboard is asked for.
const RETRY_MS = 5_000;

export async function askDashboard(client: EngineClient, signal: AbortSignal): Promise<EngineAnswer<DashboardAnswer>> {
  return client.ask({ path: '/ping-system/dashboard', schema: DashboardAnswer, signal });
}

/** Resolves to undefined when it was interrupted, and to the reason when the engine takes no pings from here. */
export async function watchPings(options: WatchOptions): Promise<string | undefined> {
  const { client, intervalMs, interruption, screen } = options;
  const refused = new AbortController();
  const signal = AbortSignal.any([interruption, refused.signal]);
  const show = shower(options);
  const orchestrators = orchestration(options, (reason) => refused.abort(reason));
  let newest = options.first;
  let trouble: string | undefined;
  const look = () => show.show({ newest, trouble, orchestrator: orchestrators.running() });
  const redrawing = screen === undefined ? undefined : repeat(look, REDRAW_MS, signal);
  try {
    while (!signal.aborted) {
      await orchestrators.follow(newest.value.scheduler);
      look();
      await pause(trouble === undefined ? intervalMs : Math.min(intervalMs, RETRY_MS), signal);
      const answer = await askDashboard(client, signal);
      trouble = answer.kind === 'failure' ? answer.text : undefined;
      if (answer.kind === 'answer') newest = { value: answer.value, atMs: performance.now() };
    }
  } finally {
    show.close();
    refused.abort();
    await redrawing;
    await orchestrators.follow('engine');
  }
  return typeof refused.signal.reason === 'string' ? refused.signal.reason : undefined;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

async function repeat(action: () => void, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs, signal);
    if (!signal.aborted) action();
  }
}

/** One orchestrator while the engine leaves pings to others, none while it does not. */
function orchestration(options: WatchOptions, onRefused: (reason: string) => void) {
  const { client, concurrency, interruption: signal } = options;
  let running: Orchestrator | undefined;
  return {
    running: () => running,
    follow: async (scheduler: DashboardAnswer['scheduler']) => {
      if (scheduler === 'external') {
        running ??= startOrchestrator({ client, concurrency, pollMs: POLL_MS, signal, onRefused });
        return;
      }
      const ending = running;
      running = undefined;
      await ending?.stop();
    },
  };
}

interface Shown {
  readonly newest: Dashboard;
  readonly trouble: string | undefined;
  readonly orchestrator: Orchestrator | undefined;
}

function shower({ client: { base }, screen, paint, out }: WatchOptions) {
  const live = screen === undefined ? undefined : openScreen(screen);
  return {
    show: ({ newest: { value: dashboard, atMs }, trouble, orchestrator }: Shown) => {
      const ageSeconds = (performance.now() - atMs) / 1000;
      const watched = { base, dashboard, ageSeconds, trouble, work: orchestrator?.work() };
      const lines = dashboardLines(watched, { ...roomOf(screen), paint });
      if (live === undefined) out(`${lines.join('\n')}\n`);
      else live.draw(lines);
    },
    close: () => live?.close(),
  };
}

// A terminal that does not tell its size is taken for the smallest that there is.
function roomOf(screen: Terminal | undefined) {
  if (screen === undefined) return { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };
  return { columns: screen.columns || 80, rows: screen.rows || 24 };
}
