/** What was thrown, in words: mostly an error, but nobody has to throw one. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
