/** Bench: CPU of judging one tick of 10,000 GPUs x 8 checks x 3 windows, Prometheus' answers decoded. */
import { atMost, type BenchFigure, median } from './figure.ts';
import { type Numbers, startProcess } from './process.ts';

const WARM_UP_ROUNDS = 10;
const ROUNDS = 25;
const MAX_TICK_MS = 250;
const MAX_GROWTH = 1.1;

/** Alternates between a fleet with a long window of 2 h and one with 24 h, so that both meet the same neighbours. */
export async function benchJudging(): Promise<BenchFigure[]> {
  const answers = await startProcess(import.meta.resolve('./prometheus-answers.ts'));
  try {
    const judge = await startProcess(import.meta.resolve('./judge.ts'), [String(answers.ready.port)]);
    try {
      const rounds: Numbers[] = [];
      for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) rounds.push(await judge.ask({}));
      return figuresOf(rounds.slice(WARM_UP_ROUNDS));
    } finally {
      await judge.end();
    }
  } finally {
    await answers.end();
  }
}

function figuresOf(rounds: readonly Numbers[]): BenchFigure[] {
  const of = (...names: readonly string[]) =>
    median(rounds.map((round) => names.reduce((sum, name) => sum + (round[name] ?? Number.NaN), 0)));
  const [short, long] = [of('read2h', 'fold2h'), of('read24h', 'fold24h')];
  return [
    atMost(MAX_TICK_MS, { name: 'tick of 10,000 GPUs, long window 2 h', value: short, unit: 'ms CPU' }),
    { name: 'of it reading: transport, parsing, decoding', value: of('read2h'), unit: 'ms CPU' },
    { name: 'of it folding', value: of('fold2h'), unit: 'ms CPU' },
    { name: 'tick of 10,000 GPUs, long window 24 h', value: long, unit: 'ms CPU' },
    { name: 'of it folding', value: of('fold24h'), unit: 'ms CPU' },
    atMost(MAX_GROWTH, { name: 'tick at 24 h against 2 h', value: long / short, unit: 'ratio' }),
    { name: 'its folding alone, 24 h against 2 h', value: of('fold24h') / of('fold2h'), unit: 'ratio' },
  ];
}
