/** Sentences about firing alerts that change a decision: which action, which alert, about whom, since when. */
import type { BookedAction } from './action-book.ts';
import { isoSecond } from './instant.ts';
import type { BlockedPlacement, Placement } from './placement.ts';
import { type Subject, subjectName } from './subject.ts';

/** Alerts named in a reason; the answer lists more. */
const MAX_NAMED = 3;

/** `Quarantined: GpuEccUncorrectable fires on GPU-1 since 2026-01-31T12:03:05Z`; groups say how many of how many. */
export function blockedReason(subject: Subject, placement: BlockedPlacement): string {
  const title = placement.action === 'quarantine' ? 'Quarantined' : 'Preempted';
  const alerts = placement.alerts.filter(isBlocking);
  if (subject.level === 'gpu') return `${title}: ${namedAlerts(alerts)}`;
  return `${title}: ${shareText(subject, placement)}: ${namedAlerts(alerts)}`;
}

/** What actions change about a subject that may process all the same; undefined when nothing. */
export function placementNote(subject: Subject, placement: Placement): string | undefined {
  const { preempted, quarantined, throttled, alerts } = placement;
  const held = alerts.filter(({ ignored }) => ignored === 'guard');
  const notes = [
    preempted + quarantined > 0 ? `${shareText(subject, placement)}: ${namedAlerts(alerts.filter(isBlocking))}` : [],
    throttled > 0 ? `${throttledText(subject, placement)}: ${namedAlerts(alerts.filter(isThrottling))}` : [],
    held.length > 0
      ? `held back: ${namedAlerts(held)}; most nodes are affected together, so the observer is suspected`
      : [],
  ].flat();
  return notes.length === 0 ? undefined : notes.join('; ');
}

function isBlocking({ action, ignored }: BookedAction): boolean {
  return ignored === undefined && (action === 'preempt' || action === 'quarantine');
}

function isThrottling({ action, ignored }: BookedAction): boolean {
  return ignored === undefined && action === 'throttle';
}

/** `2 of 8 GPUs of node a take no new work`, with how many of them are preempted where that differs. */
function shareText(subject: Subject, { gpus, preempted, quarantined }: Placement): string {
  const parts = preempted > 0 && quarantined > 0 ? ` (${quarantined} quarantined, ${preempted} preempted)` : '';
  return `${preempted + quarantined} of ${gpus} GPUs of ${subjectName(subject)} take no new work${parts}`;
}

function throttledText(subject: Subject, { gpus, throttled }: Placement): string {
  return subject.level === 'gpu' ? 'throttled' : `${throttled} of ${gpus} GPUs of ${subjectName(subject)} throttled`;
}

function namedAlerts(alerts: readonly BookedAction[]): string {
  const named = alerts.slice(0, MAX_NAMED).map(alertText);
  const others = alerts.length - named.length;
  return others === 0 ? named.join(', ') : `${named.join(', ')} and ${others} more`;
}

function alertText({ alert, gpu, node = '', sinceMs }: BookedAction): string {
  return `${alert} fires on ${gpu ?? `node ${node}`} since ${isoSecond(sinceMs)}`;
}
