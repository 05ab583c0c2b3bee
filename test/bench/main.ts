/** `npm run bench [-- gate judging …] [-- --strict]`: runs the benches one after another and prints what they measured. */
import { benchClient } from './client.ts';
import { benchGate } from './gate.ts';
import { benchJudging } from './judging.ts';
import { benchMemory } from './memory.ts';
import { benchPings } from './pings.ts';
import { benchRules } from './rules.ts';
import { benchScrape } from './scrape.ts';
import { benchSubqueries } from './subqueries.ts';
import { renderTable } from './table.ts';

const BENCHES = {
  gate: benchGate,
  judging: benchJudging,
  client: benchClient,
  subqueries: benchSubqueries,
  rules: benchRules,
  pings: benchPings,
  memory: benchMemory,
  scrape: benchScrape,
} as const;

const known = Object.entries(BENCHES);
const asked = process.argv.slice(2).filter((argument) => argument !== '--strict');
const unknown = asked.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(
    `no bench is named ${unknown.join(', ')}; there are ${known.map(([name]) => name).join(', ')}\n`,
  );
  process.exit(2);
}

let missed = 0;
for (const [name, bench] of known.filter(([name]) => asked.length === 0 || asked.includes(name))) {
  const figures = await bench();
  missed += figures.filter(({ ok }) => ok === false).length;
  process.stdout.write(renderTable(name, figures));
}
if (missed > 0 && process.argv.includes('--strict')) process.exitCode = 1;
