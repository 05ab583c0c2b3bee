import { describe, expect, it } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { allowedAddresses } from '../../../engine/ping/name-lookup.ts';
import { systemLookUp } from '../../../engine/ping/system-lookup.ts';
import { STRICT, WIDEST } from './open-policy.ts';

const noLookUp = async () => Promise.reject(new Error('asked for an address'));

describe('allowedAddresses', () => {
  it('takes an address for itself', async () => {
    const guard = addressGuard(WIDEST);
    expect(await allowedAddresses('::1', guard, noLookUp)).toEqual({ kind: 'allowed', addresses: ['::1'] });
  });

  it('judges every address of a name, and tries a few', async () => {
    const guard = addressGuard(STRICT);
    const many = Array.from({ length: 300 }, (_, nth) => `8.8.${nth % 250}.8`);
    expect(await allowedAddresses('many.example.org', guard, async () => many)).toEqual({
      kind: 'allowed',
      addresses: ['8.8.0.8', '8.8.1.8', '8.8.2.8', '8.8.3.8'],
    });
    const reason = 'many.example.org leads where the engine may not ask: 127.0.0.1 is a loopback address, which the p';
    expect(await allowedAddresses('many.example.org', guard, async () => [...many, '127.0.0.1'])).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining(reason),
    });
    expect(await allowedAddresses('127.0.0.1', guard, noLookUp)).toMatchObject({ kind: 'forbidden' });
  });
});

describe('systemLookUp', () => {
  const asker = { signal: new AbortController().signal, onTurn: () => {} };

  it('knows the names of this machine, however many threads there are', async () => {
    for (const threads of [undefined, '1', '64']) {
      expect(await systemLookUp(threads)('localhost', asker)).toContain('127.0.0.1');
    }
  });

  it('rejects for a name that is none', async () => {
    await expect(systemLookUp()('agent.invalid', asker)).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });
});
