import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { engineClient } from '../../../../engine/cli/engine-client.ts';
import { amongTestAgents } from '../../../../engine/cli/ping-system/among-test-agents.ts';
import { isThisMachine } from '../../../../engine/cli/ping-system/this-machine.ts';

const OWN = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);

describe('isThisMachine', () => {
  it.each<readonly [string, boolean | undefined]>([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['[::1]', true],
    ...OWN.filter((address) => !address.startsWith('fe80')).map((address) => [address, true] as const),
    ['192.0.2.1', false],
    ['[2001:db8::1]', false],
    ['no-such-host.invalid', undefined],
  ])('of %s is %s', async (host, expected) => expect(await isThisMachine(host)).toBe(expected));
});

describe('amongTestAgents', () => {
  it('does nothing for an engine on another machine, and says why', async () => {
    const client = engineClient('http://192.0.2.1:8000', {});
    if (typeof client === 'string') throw new Error(client);
    const io = { out: () => undefined, err: () => undefined, env: {}, cwd: '/' };
    const around = { client, io, interruption: new AbortController().signal };
    const ended = await amongTestAgents(3, around, async () => 'was done');
    expect(ended).toBe(
      "Test agents listen on 127.0.0.1 of this machine, which the engine at http://192.0.2.1:8000 cannot reach: run the command on the engine's machine, or leave out --register-agents.",
    );
  });
});
