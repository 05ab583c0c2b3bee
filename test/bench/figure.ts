/** What a bench reports: figures, some of them held against a bar. */

export interface BenchFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly bar?: string;
  readonly ok?: boolean;
}

type Measured = Pick<BenchFigure, 'name' | 'value' | 'unit'>;

export function atLeast(bar: number, figure: Measured): BenchFigure {
  return { ...figure, bar: `>= ${bar}`, ok: figure.value >= bar };
}

export function below(bar: number, figure: Measured): BenchFigure {
  return { ...figure, bar: `< ${bar}`, ok: figure.value < bar };
}

export function atMost(bar: number, figure: Measured): BenchFigure {
  return { ...figure, bar: `<= ${bar}`, ok: figure.value <= bar };
}

/** Of noisy rounds the median: one stolen time slice does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
}
