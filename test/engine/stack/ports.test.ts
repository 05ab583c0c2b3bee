import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claimPorts } from '../../../engine/stack/ports.ts';

const ANY = {
  EXPORTER_PORT: '0',
  PROMETHEUS_PORT: '0',
  ALERTMANAGER_PORT: '0',
  ENGINE_PORT: '0',
  NOTIFICATIONS_PORT: '0',
};

async function occupiedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('claimPorts', () => {
  it('picks a different free port for each 0', async () => {
    const ports = Object.values(await claimPorts(ANY));
    expect(new Set(ports).size).toBe(5);
    expect(ports.every((port) => port > 0)).toBe(true);
  });

  it('leaves the ports it chose free for the parts', async () => {
    const ports = await claimPorts(ANY);
    expect(await claimPorts({ ...ANY, ENGINE_PORT: String(ports.engine) })).toMatchObject({ engine: ports.engine });
  });

  it('says in one sentence per port which variable moves it', async () => {
    const [first, second] = [await occupiedPort(), await occupiedPort()];
    const claim = claimPorts({ ...ANY, PROMETHEUS_PORT: String(first), ENGINE_PORT: String(second) });
    await expect(claim).rejects.toThrow(
      [
        `Port ${first} for Prometheus is already in use; stop what uses it, or set PROMETHEUS_PORT to another port.`,
        `Port ${second} for the engine is already in use; stop what uses it, or set ENGINE_PORT to another port.`,
      ].join('\n'),
    );
  });

  it('refuses two parts on one port', async () => {
    await expect(claimPorts({ ...ANY, ENGINE_PORT: '8001', EXPORTER_PORT: '8001' })).rejects.toThrow(
      'EXPORTER_PORT and ENGINE_PORT are both 8001; give each part a port of its own.',
    );
  });

  it.each(['x', '-1', '65536', '80.5'])('does not take %j for a port', async (text) => {
    await expect(claimPorts({ ...ANY, EXPORTER_PORT: text })).rejects.toThrow(
      `EXPORTER_PORT is "${text}"; set it to a port number from 1 to 65535, or to 0 for any free port.`,
    );
  });
});
