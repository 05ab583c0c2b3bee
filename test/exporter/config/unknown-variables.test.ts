import { describe, expect, it } from 'vitest';
import { unknownVariables } from '../../../exporter/config/unknown-variables.ts';

describe('unknownVariables', () => {
  it('names what looks like a setting and is none, with the nearest one', () => {
    expect(
      unknownVariables({ EXPORTER_PROT: '3', MOCK_GPU: '3', DCGM_EXPORTER_INTERVALL: '3', AGENT_SOMETHING_ELSE: '1' }),
    ).toEqual([
      'EXPORTER_PROT is not a setting and has no effect: write EXPORTER_PORT, or remove it.',
      'MOCK_GPU is not a setting and has no effect: write MOCK_GPUS, or remove it.',
      'DCGM_EXPORTER_INTERVALL is not a setting and has no effect: write DCGM_EXPORTER_INTERVAL, or remove it.',
      'AGENT_SOMETHING_ELSE is not a setting and has no effect: see --help for those there are, or remove it.',
    ]);
  });

  it('leaves alone what is a setting, what is another program’s, and what Kubernetes sets for a service', () => {
    const env = { EXPORTER_PORT: '1', GPU_SOURCE: 'mock', DCGM_EXPORTER_LISTEN: ':1', PATH: '/bin', EXPORTER_URL: 'x' };
    const kubernetes = {
      DCGM_EXPORTER_SERVICE_HOST: '10.0.0.1',
      DCGM_EXPORTER_SERVICE_PORT_HTTP: '1',
      DCGM_EXPORTER_PORT: 'tcp://10.0.0.1:9400',
      DCGM_EXPORTER_PORT_9400_TCP_ADDR: '10.0.0.1',
    };
    expect(unknownVariables({ ...env, ...kubernetes })).toEqual([]);
  });
});
