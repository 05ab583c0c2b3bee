import { describe, expect, it } from 'vitest';
import { addressGuard } from '../../../engine/ping/address-guard.ts';
import { allowedAddresses, systemLookUp } from '../../../engine/ping/name-lookup.ts';
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
    expect(await allowedAddresses('many.example.org', guard, async () => [...many, '127.0.0.1'])).toMatchObject({
      kind: 'forbidden',
      reason: expect.stringContaining('many.example.org: 127.0.0.1 is a loopback address'),
    });
  });
});

describe('systemLookUp', () => {
  it('knows the names of this machine', async () => {
    expect(await systemLookUp()('localhost')).toContain('127.0.0.1');
  });

  it('asks once for a name that several pings wait for, and again afterwards', async () => {
    const lookUp = systemLookUp();
    const [first, second] = [lookUp('localhost'), lookUp('localhost')];
    expect(second).toBe(first);
    await first;
    expect(lookUp('localhost')).not.toBe(first);
  });

  it('rejects for a name that is none', async () => {
    await expect(systemLookUp()('agent.invalid')).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });
});
