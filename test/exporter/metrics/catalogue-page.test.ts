import { describe, expect, it } from 'vitest';
import { metrics } from '../../../exporter/metrics/catalog.ts';
import { cataloguePage } from '../../../exporter/metrics/catalogue-page.ts';
import { nativeFamilies } from '../../../exporter/metrics/native/families.ts';
import { platformFamilies } from '../../../exporter/metrics/native/platform.ts';
import { a100Mig } from './hardware/a100-mig.ts';
import { h200 } from './hardware/h200.ts';
import { presenceOf } from './hardware/presence-of.ts';

const pageFile = new URL('../../../exporter/METRICS.md', import.meta.url).pathname;
const refresh =
  'exporter/METRICS.md is not what the catalog says; write it anew: npx vitest run test/exporter/metrics/catalogue-page.test.ts -u';

describe('cataloguePage', () => {
  it('is the committed page', async () => {
    await expect(cataloguePage(), refresh).toMatchFileSnapshot(pageFile);
  });

  it('names every row of the catalog, under each of its names', () => {
    const page = cataloguePage();
    const names = metrics.flatMap(({ dcgm, native }) => [dcgm?.field, ...(dcgm?.aliases ?? []), native?.name]);
    expect(names.filter((name) => name !== undefined && !page.includes(`\`${name}`))).toEqual([]);
  });

  it('names every family of the native and the platform profile', () => {
    const page = cataloguePage();
    const families = [h200, a100Mig].flatMap((snapshot) => {
      const input = { snapshot, presence: presenceOf(snapshot), hostname: 'h' };
      return [...nativeFamilies(input), ...platformFamilies(input)];
    });
    expect(families.map(({ name }) => name).filter((name) => !page.includes(`\`${name}`))).toEqual([]);
  });

  it('is a table with as many cells in each line as in its head', () => {
    const tables = cataloguePage()
      .split('\n\n')
      .filter((block) => block.startsWith('|'));
    const widths = tables.map(
      (table) =>
        new Set(
          table
            .trim()
            .split('\n')
            .map((line) => line.split(/(?<!\\)\|/).length),
        ),
    );
    expect(widths.map(({ size }) => size)).toEqual(tables.map(() => 1));
  });
});
