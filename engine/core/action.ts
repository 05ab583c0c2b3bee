/** What a firing alert asks of a scheduler: the label `action` of its rule. */

/** From mildest to strictest. */
export const ACTIONS = ['notify', 'throttle', 'preempt', 'quarantine'] as const;

export type Action = (typeof ACTIONS)[number];

/** A firing alert with the label `action`, about a GPU or a whole node. */
export interface FiringAction {
  readonly action: Action;
  /** Name of the alert. */
  readonly alert: string;
  /** Undefined when the alert is about the node as a whole. */
  readonly gpu: string | undefined;
  readonly node: string | undefined;
  readonly severity: string;
  /** Since when it fires, milliseconds. */
  readonly sinceMs: number;
}
