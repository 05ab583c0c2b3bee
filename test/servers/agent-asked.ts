/** What one simulated agent was asked, and whether by two at once. */

export interface AskedReport {
  /** When each question came, milliseconds since the epoch. */
  readonly atMs: readonly number[];
  /** Questions that came while another one of the same agent was still open. */
  readonly overlaps: number;
}

export class AskedCounts {
  readonly #atMs: number[] = [];
  #overlaps = 0;
  #open = 0;

  /** The end of the question is for the caller to tell, once. */
  begin(atMs: number): () => void {
    this.#atMs.push(atMs);
    if (this.#open > 0) this.#overlaps += 1;
    this.#open += 1;
    return () => {
      this.#open -= 1;
    };
  }

  report(): AskedReport {
    return { atMs: this.#atMs, overlaps: this.#overlaps };
  }
}
