/** Everything one reading of one card is made from. */

import type { Card } from './card.ts';
import { type Effect, type Influence, isActive, ofKind, type Span } from './effects.ts';
import type { Moment } from './moment.ts';

export interface Scene {
  readonly card: Card;
  readonly moment: Moment;
  /** Whatever acts on the card at any time. */
  readonly influences: readonly Influence[];
  /** From the start of the counters that live in the driver to now. */
  readonly span: Span;
}

/** The influences of one kind that are at work now. */
export function activeOfKind<K extends Effect['kind']>(
  { influences, moment }: Scene,
  kind: K,
): readonly Influence<Extract<Effect, { kind: K }>>[] {
  return ofKind(influences, kind).filter((influence) => isActive(influence, moment.atMs));
}
