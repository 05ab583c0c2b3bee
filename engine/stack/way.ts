/** What one way of getting a tool came to. */
import type { InstalledTool } from './inspection.ts';

/** `reason` says what went wrong, `fix` what the reader can do; together they make one sentence. */
export interface Miss {
  readonly kind: 'missed';
  readonly way: string;
  readonly reason: string;
  readonly fix: string;
}

export type WayOutcome = { readonly kind: 'found'; readonly tool: InstalledTool } | Miss;

/** One sentence for a person. */
export function missSentence(miss: Miss): string {
  return `${miss.way}: ${miss.reason}; ${miss.fix}.`;
}
