/** Active alerts as the endpoints show them. */
import type { Question } from '../core/decision.ts';
import { unixSeconds } from './answers.ts';
import type { EngineView, ShownAlert } from './view.ts';

/** Alerts that carry the subject's GPU or node in their labels; all of them for the fleet. */
export function alertsAbout(view: EngineView, { subject }: Question): readonly ShownAlert[] {
  const { identity } = view.judged().plan.policy;
  return view.alerts().filter(({ labels }) => {
    if (subject.level === 'fleet') return true;
    if (subject.level === 'gpu') return [labels[identity.gpu], labels.uuid].includes(subject.id);
    return [labels[identity.node], labels.node].includes(subject.id);
  });
}

export function alertEntry({ name, state, severity, summary, labels, sinceMs }: ShownAlert): Record<string, unknown> {
  return { name, state, severity, summary, labels, since: unixSeconds(sinceMs) };
}
