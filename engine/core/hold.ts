/** Operator holds: a person's word outranks every computed decision until it expires. */
import type { Subject } from './subject.ts';

export interface Hold {
  readonly id: string;
  readonly subject: Subject;
  /** Only this capability; every capability when absent. */
  readonly capability?: string;
  readonly effect: 'allow' | 'deny';
  readonly owner: string;
  readonly reason: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** Where a subject sits: a GPU is on a node, a node in the fleet. */
export interface Lineage {
  readonly gpu?: string;
  readonly node?: string;
}

const RANK = { gpu: 2, node: 1, fleet: 0 } as const;

/**
 * The hold that governs: the most specific one that has not expired; of equals, `deny`. `names` are the capability as
 * asked for and the one that answers for it, so a hold on `default` reaches every name that the policy does not list.
 */
export function governingHold(
  holds: readonly Hold[],
  names: readonly string[],
  lineage: Lineage,
  nowMs: number,
): Hold | undefined {
  return holds
    .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    .filter(({ capability }) => capability === undefined || names.includes(capability))
    .filter((hold) => covers(hold.subject, lineage))
    .sort((a, b) => RANK[b.subject.level] - RANK[a.subject.level] || a.effect.localeCompare(b.effect) * -1)
    .at(0);
}

function covers(subject: Subject, lineage: Lineage): boolean {
  if (subject.level === 'fleet') return true;
  return subject.level === 'node' ? subject.id === lineage.node : subject.id === lineage.gpu;
}
