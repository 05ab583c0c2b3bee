/** What every store must do; a second adapter passes this unchanged. */
import { expect, it } from 'vitest';
import type { Store } from '../../../engine/store/store.ts';

export interface StoreFixture {
  readonly store: Store;
  /** Opens the same data again, as a restarted process would. */
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

export function storeContract(open: () => Promise<StoreFixture>): void {
  const using = async (work: (fixture: StoreFixture) => Promise<void>) => {
    const fixture = await open();
    try {
      await work(fixture);
    } finally {
      await fixture.dispose();
    }
  };

  it('starts empty', () => using(async ({ store }) => expect(await store.list('hold')).toEqual([])));

  it('lists what was put, by key, kinds apart', () =>
    using(async ({ store }) => {
      await store.write('hold', {
        put: [
          { key: 'b', value: { n: 2 } },
          { key: 'a', value: [1, 'é', null] },
        ],
      });
      await store.write('alert', { put: [{ key: 'a', value: 'other' }] });
      await store.write('maintenance', { put: [{ key: 'a', value: 'another' }] });
      expect(await store.list('hold')).toEqual([
        { key: 'a', value: [1, 'é', null] },
        { key: 'b', value: { n: 2 } },
      ]);
      expect(await store.list('maintenance')).toEqual([{ key: 'a', value: 'another' }]);
    }));

  it('replaces and removes', () =>
    using(async ({ store }) => {
      await store.write('hold', {
        put: [
          { key: 'a', value: 1 },
          { key: 'b', value: 1 },
        ],
      });
      await store.write('hold', { put: [{ key: 'a', value: 2 }], remove: ['b', 'never there'] });
      expect(await store.list('hold')).toEqual([{ key: 'a', value: 2 }]);
    }));

  it('writes all of a change or none of it', () =>
    using(async ({ store }) => {
      const circular: { self?: unknown } = {};
      circular.self = circular;
      await expect(
        store.write('hold', {
          put: [
            { key: 'a', value: 1 },
            { key: 'b', value: circular },
          ],
        }),
      ).rejects.toThrow();
      expect(await store.list('hold')).toEqual([]);
    }));

  it('keeps everything over a restart', () =>
    using(async (fixture) => {
      await fixture.store.write('checkpoint', { put: [{ key: 'fleet', value: { tickMs: 5 } }] });
      await fixture.store.write('maintenance', { put: [{ key: 's.0', value: { fromMs: 5, toMs: 9 } }] });
      const reopened = await fixture.reopen();
      expect(await reopened.list('checkpoint')).toEqual([{ key: 'fleet', value: { tickMs: 5 } }]);
      expect(await reopened.list('maintenance')).toEqual([{ key: 's.0', value: { fromMs: 5, toMs: 9 } }]);
    }));
}
