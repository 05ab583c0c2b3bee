/** The stack cannot start, for reasons a person can act on: one sentence per line. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';

  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'));
  }
}
