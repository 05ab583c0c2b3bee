/** What a decision is about: the fleet, one node, or one GPU. */

export type Level = 'fleet' | 'node' | 'gpu';

export type Subject =
  | { readonly level: 'fleet' }
  | { readonly level: 'node'; readonly id: string }
  | { readonly level: 'gpu'; readonly id: string };

export const FLEET: Subject = { level: 'fleet' };

/** Key of a subject under one capability: `default gpu GPU-1`. Capability names hold no blanks. */
export function subjectKey(capability: string, subject: Subject): string {
  return subject.level === 'fleet' ? `${capability} fleet` : `${capability} ${subject.level} ${subject.id}`;
}

/** `fleet`, `node gpu-a`, `gpu GPU-1`: for people. */
export function subjectName(subject: Subject): string {
  return subject.level === 'fleet' ? 'fleet' : `${subject.level} ${subject.id}`;
}
