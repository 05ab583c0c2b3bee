/** The value of a scalar, built piece by piece together with the places it was written at. */

/** From `at` on, the value was written from `offset` on, one to one, until the next run. */
interface Run {
  readonly at: number;
  readonly offset: number;
}

export interface ScalarText {
  readonly text: string;
  readonly runs: readonly Run[];
}

export class ScalarBuilder {
  private text = '';
  private readonly runs: Run[] = [];
  private next = -1;

  /** Adds what `length` characters of the source from `offset` on mean. */
  add(text: string, offset: number, length = text.length): void {
    if (offset !== this.next) this.runs.push({ at: this.text.length, offset });
    this.text += text;
    this.next = length === text.length ? offset + length : -1;
  }

  build(): ScalarText {
    return { text: this.text, runs: this.runs };
  }
}

/** Source offset of character `index` of the value; undefined for an empty value. */
export function offsetOf({ runs }: ScalarText, index: number): number | undefined {
  const run = runs.findLast(({ at }) => at <= index);
  return run && run.offset + index - run.at;
}
