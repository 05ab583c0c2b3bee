import { describe, expect, it } from 'vitest';
import { helpText, settingsPage } from '../../../exporter/config/help.ts';
import { settingGroups } from '../../../exporter/config/settings.ts';

const rows = Object.values(settingGroups).flat();

describe('settingsPage', () => {
  it('is the committed page', async () => {
    const refresh =
      'exporter/SETTINGS.md is not what the settings say; write it anew: npx vitest run test/exporter/config/help.test.ts -u';
    const file = new URL('../../../exporter/SETTINGS.md', import.meta.url).pathname;
    await expect(settingsPage(), refresh).toMatchFileSnapshot(file);
  });
});

describe('helpText', () => {
  it('has a line for every setting, with its flag and its default', () => {
    const lines = helpText().split('\n');
    for (const { env, flag, fallback } of rows) {
      const line = lines.find((one) => one.includes(` ${env} `) && (flag === undefined || one.includes(`--${flag},`)));
      expect([env, line]).toEqual([
        env,
        expect.stringContaining(fallback === '' ? '(unset)' : `(default ${fallback})`),
      ]);
    }
  });
});

describe('the settings', () => {
  it('have each variable and each flag once, and defaults that they would accept', () => {
    const names = rows.flatMap(({ env, flag }) => (flag === undefined ? [env] : [env, `--${flag}`]));
    expect(new Set(names).size).toBe(names.length);
    expect(rows.filter(({ schema, fallback }) => !schema.safeParse(fallback).success)).toEqual([]);
  });
});
