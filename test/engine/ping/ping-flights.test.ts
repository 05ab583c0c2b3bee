import { describe, expect, it } from 'vitest';
import type { Attempts } from '../../../engine/ping/attempt.ts';
import { PingFlights } from '../../../engine/ping/ping-flights.ts';
import type { PingFold } from '../../../engine/ping/ping-fold.ts';

describe('flights of an agent that was removed and registered again', () => {
  it('are told apart, and both are waited for', async () => {
    // Tracking asks neither of them.
    const flights = new PingFlights({} as Attempts, {} as PingFold);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const one = flights.track('a', () => first.promise);
    const two = flights.track('a', () => second.promise);
    first.resolve();
    await one;
    expect(flights.has('a')).toBe(true);
    let haveLanded = false;
    const landed = flights.landed().then(() => {
      haveLanded = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(haveLanded).toBe(false);
    second.resolve();
    await Promise.all([two, landed]);
    expect(flights.has('a')).toBe(false);
  });
});
