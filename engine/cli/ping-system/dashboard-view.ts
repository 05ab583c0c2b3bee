/** The dashboard of the pings as lines of text: how many agents are how, who lags, and which agents are worst. */
import type { AgentAnswer, DashboardAnswer } from '../engine-answers.ts';
import { type Paint, statusColour } from '../paint.ts';
import { columnsOf, fitted, wrapped } from '../plain-text.ts';
import { type Cell, textTable } from '../text-table.ts';
import { dueText, instantText, nextPingText, spanText } from '../time-text.ts';
import type { PingWork } from './ping-orchestrator.ts';

export interface Watched {
  /** The engine's address. */
  readonly base: string;
  readonly dashboard: DashboardAnswer;
  /** How old it is, on our clock: it says when it was made on the engine's. */
  readonly ageSeconds: number;
  /** Why there is no newer one. */
  readonly trouble: string | undefined;
  /** What this command pings itself; undefined while the engine does. */
  readonly work: PingWork | undefined;
}

export interface Room {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

/** At most as many lines as there are rows, and none longer than the columns. */
export function dashboardLines(watched: Watched, room: Room): readonly string[] {
  const { dashboard, ageSeconds } = watched;
  const nowSeconds = dashboard.generated_at + ageSeconds;
  const lines = [
    ...wrapped(`Agents of ${watched.base} at ${instantText(nowSeconds)}`, room.columns).map(bold(room)),
    ...[headText(watched, room), ...totalsTexts(dashboard, nowSeconds)].flatMap((text) => wrapped(text, room.columns)),
    ...warningTexts(watched).flatMap((text) => warningLines(text, room)),
    ...worstLines(dashboard, nowSeconds, room),
    ...divergentLines(dashboard, room),
  ];
  if (lines.length <= room.rows) return lines;
  const left = lines.length - room.rows + 1;
  return [...lines.slice(0, room.rows - 1), ...wrapped(`… ${left} more lines`, room.columns)].slice(0, room.rows);
}

function bold({ paint }: Room): (text: string) => string {
  return (text) => paint('bold', text);
}

/** On a terminal, where nothing else shows how, it says how to end it. */
function headText(watched: Watched, { columns }: Room): string {
  return columns === Number.POSITIVE_INFINITY ? schedulerText(watched) : `${schedulerText(watched)} Ctrl-C ends it.`;
}

function schedulerText({ work }: Watched): string {
  if (work === undefined) return 'The engine pings by itself; this only watches.';
  const { inFlight, pinged, busy, failed } = work;
  const counts = [`${inFlight} in flight`, `${pinged} done`, counted(busy, 'were busy'), counted(failed, 'failed')];
  return `This pings for the engine: ${counts.filter((text) => text !== undefined).join(', ')}.`;
}

function counted(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} ${what}`;
}

function totalsTexts(dashboard: DashboardAnswer, nowSeconds: number): readonly string[] {
  const { agents, pings_24h: day, lag_seconds: lag, worst_lag_seconds: worst, next_due_at: next } = dashboard;
  const statuses = Object.entries(agents.by_status).flatMap(([status, count]) => counted(count, nameOf(status)) ?? []);
  const pace = [
    `${agents.due} due, ${agents.in_flight} in flight, ${agents.escalated} escalated`,
    next === null ? [] : `next ping ${aheadText(next, { dashboard, nowSeconds })}`,
    lag === null ? [] : `lag ${spanText(lag)}${worst === null ? '' : `, at worst ${spanText(worst)} within a minute`}`,
  ].flat();
  const agentsText = `${agents.total} ${agents.total === 1 ? 'agent' : 'agents'}`;
  return [statuses.length === 0 ? agentsText : `${agentsText}: ${statuses.join(', ')}`, pace.join('; '), dayText(day)];
}

function nameOf(status: string): string {
  return status.replaceAll('_', ' ');
}

function dayText({ total, by_outcome: outcomes, mean_round_trip_seconds: mean }: DashboardAnswer['pings_24h']): string {
  if (total === 0) return 'Last 24 hours: no ping';
  const good = `${(Math.floor((1000 * (outcomes.good ?? 0)) / total) / 10).toFixed(1)}% good`;
  const roundTrip = mean === null ? [] : `mean round trip ${spanText(mean)}`;
  return [`Last 24 hours: ${total} ${total === 1 ? 'ping' : 'pings'}`, good, roundTrip].flat().join(', ');
}

function warningTexts({ dashboard, trouble, work, ageSeconds }: Watched): readonly string[] {
  const old =
    trouble === undefined ? undefined : `${trouble} What is shown is ${spanText(Math.round(ageSeconds))} old.`;
  return [suspicionText(dashboard), old ?? work?.trouble].filter((text) => text !== undefined);
}

function suspicionText({ suspect, suspect_since: since }: DashboardAnswer): string | undefined {
  if (!suspect) return undefined;
  const when = since === null ? '' : ` since ${instantText(since)}`;
  return `The engine suspects itself${when}, because most agents failed at once: failures do not count and those agents are left alone for longer, until a whole ping.suspect.window has passed without that.`;
}

function warningLines(text: string, { columns, paint }: Room): readonly string[] {
  return wrapped(text, columns).map((line) => paint('red', line));
}

const WORST_HEADINGS = ['AGENT', 'STATUS', 'POOR', 'INTERVAL', 'NEXT PING', 'RECOVERY IF GOOD'];
const REASON_INDENT = 4;
// With less room beside the table, a reason has a line of its own.
const LEAST_REASON = 40;
const LEAST_ID = 16;

function worstLines(dashboard: DashboardAnswer, nowSeconds: number, room: Room): readonly string[] {
  const { worst, agents } = dashboard;
  if (worst.length === 0) return [];
  const { columns, paint } = room;
  const rows = worst.map((agent) => worstRow(agent, { dashboard, nowSeconds, room }));
  const widest = Math.max(...textTable([WORST_HEADINGS, ...rows.map(plainRow)]).map(columnsOf));
  const isBeside = columns - widest > LEAST_REASON;
  const reasons = worst.map(({ ping }) => ping.reason ?? '');
  const table = isBeside
    ? [[...WORST_HEADINGS, 'REASON'], ...rows.map((row, at) => [...row, reasons[at] ?? ''])]
    : [WORST_HEADINGS, ...rows];
  const [headings = '', ...lines] = textTable(table, columns);
  const below = (at: number) => (isBeside || reasons[at] === '' ? [] : [reasonLine(reasons[at] ?? '', room)]);
  const more = agents.escalated - worst.length;
  const rest = more > 0 ? wrapped(`and ${more} more escalated agents`, columns) : [];
  return ['', paint('dim', headings), ...lines.flatMap((line, at) => [line, ...below(at)]), ...rest];
}

function plainRow(row: readonly (string | Cell)[]): readonly string[] {
  return row.map((cell) => (typeof cell === 'string' ? cell : cell.text));
}

function reasonLine(reason: string, { columns, paint }: Room): string {
  return paint('dim', fitted(' '.repeat(REASON_INDENT) + reason, columns));
}

interface Shown {
  readonly dashboard: DashboardAnswer;
  readonly nowSeconds: number;
  readonly room: Room;
}

function worstRow({ agent_id: id, status, ping }: AgentAnswer, shown: Shown): readonly (string | Cell)[] {
  const { room, nowSeconds } = shown;
  const colour = statusColour(status);
  const { pings, at } = ping.recovery;
  return [
    fitted(id, Math.max(LEAST_ID, Math.floor(room.columns / 4))),
    { text: nameOf(status), paint: (text) => room.paint(colour, text) },
    String(ping.consecutive_poor),
    spanText(ping.interval_seconds),
    ping.is_due ? aheadText(ping.next_ping_at, shown) : nextPingText(ping, nowSeconds),
    `${pings} ${pings === 1 ? 'ping' : 'pings'}${at === null ? '' : `, ${dueText(at, nowSeconds)}`}`,
  ];
}

/** What falls due after the dashboard was made has probably been done by now, and is not late. */
function aheadText(at: number, { dashboard, nowSeconds }: Pick<Shown, 'dashboard' | 'nowSeconds'>): string {
  return dueText(at > dashboard.generated_at ? Math.max(at, nowSeconds) : at, nowSeconds);
}

const DIVERGENT_HEADINGS = ['AGENT', 'CLAIMED', 'OBSERVED', 'DIFFERENCE', 'NODE'];

/** Agents whose word is not what Prometheus saw. */
function divergentLines({ divergent }: DashboardAnswer, { columns, paint }: Room): readonly string[] {
  if (divergent.length === 0) return [];
  const rows = divergent.map(({ agent_id: id, claimed, observed, divergence_percentage_points: points, node }) => [
    id,
    percentText(claimed?.uptime_percentage),
    percentText(observed?.uptime_percentage),
    points === null ? '' : `${points > 0 ? '+' : ''}${points} points`,
    node,
  ]);
  const [headings = '', ...lines] = textTable([DIVERGENT_HEADINGS, ...rows], columns);
  return ['', paint('dim', headings), ...lines];
}

function percentText(percentage: number | null | undefined): string {
  return typeof percentage === 'number' ? `${percentage}%` : 'nothing';
}
