/** What a gateway is told of an outcome, before a flavour puts it into words. */
import type { Outcome } from './decision.ts';

export type GateAnswer =
  | { readonly status: 200 }
  /** `retryAfterSeconds` is a whole number, at least 1. */
  | { readonly status: 403 | 429; readonly retryAfterSeconds: number };

const ALLOWED: GateAnswer = { status: 200 };

/** 200 for a yes; 429 where waiting helps, and 403 where no GPU serves the capability. */
export function gateAnswer({ canProcess, basis, waitMs }: Outcome): GateAnswer {
  if (canProcess) return ALLOWED;
  const status = basis.kind === 'not_served' ? 403 : 429;
  return { status, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
