import { describe, expect, it } from 'vitest';
import { directoryOf } from '../../../engine/core/action-target.ts';
import { planOf, play, times } from './fixtures.ts';

const { state } = play(planOf(), times(1, { 'a/0': 'up', 'a/1': 'up', 'b/0': 'up' }));

function target(labels: Record<string, string>, identity = { gpu: 'UUID', node: 'instance', labels: [] as string[] }) {
  const { gpu, node, isKnown } = directoryOf({ identity }, state.gpus).targetOf(labels);
  return [gpu, node, isKnown];
}

describe('whom an alert is about', () => {
  it.each<[string, Record<string, string>, unknown[]]>([
    ['the identity label names the GPU', { UUID: 'a/0', instance: 'a' }, ['a/0', 'a', true]],
    ['so does uuid', { uuid: 'a/0' }, ['a/0', 'a', true]],
    ['and gpu_uuid', { gpu_uuid: 'b/0' }, ['b/0', 'b', true]],
    ['and gpu, where it holds the identity', { gpu: 'b/0' }, ['b/0', 'b', true]],
    ['the GPU says which node it is on', { uuid: 'a/0', instance: 'engine:9500', node: 'b' }, ['a/0', 'a', true]],
    ['an index counts on its node', { gpu: '1', instance: 'a' }, ['a/1', 'a', true]],
    ['an index alone says nothing', { gpu: '1' }, ['1', undefined, false]],
    ['an index that the node lacks', { gpu: '7', instance: 'a' }, ['7', 'a', false]],
    ['an unknown GPU never widens to its node', { UUID: 'z/9', instance: 'a' }, ['z/9', 'a', false]],
    ['nor to the GPU with its index', { UUID: 'z/9', gpu: '1', instance: 'a' }, ['z/9', 'a', false]],
    ['no GPU label: the node as a whole', { instance: 'a' }, [undefined, 'a', true]],
    ['an empty label is no label', { UUID: '', gpu: '', instance: 'a' }, [undefined, 'a', true]],
    ['node, when instance is the engine itself', { instance: 'engine:9500', node: 'b' }, [undefined, 'b', true]],
    ['Hostname, when it is what identifies nodes', { Hostname: 'b' }, [undefined, 'b', true]],
    ['an unknown node', { instance: 'db:9100' }, [undefined, 'db:9100', false]],
    ['a host without its port is another name', { instance: 'a:9400' }, [undefined, 'a:9400', false]],
    ['nothing at all', { alertname: 'X' }, [undefined, undefined, false]],
  ])('%s', (_, labels, expected) => {
    expect(target(labels)).toEqual(expected);
  });

  it('never reaches GPUs whose node nobody knows by naming no node', () => {
    const [record] = state.gpus.values();
    const gpus = new Map(record === undefined ? [] : [[record.gpu, { ...record, node: '' }]]);
    const identity = { gpu: 'UUID', node: 'instance', labels: [] };
    expect(gpus.size).toBe(1);
    expect(directoryOf({ identity }, gpus).targetOf({ alertname: 'X' }).isKnown).toBe(false);
  });

  it('follows the policy to other identity labels', () => {
    const identity = { gpu: 'serial', node: 'rack', labels: [] };
    expect(target({ serial: 'a/1' }, identity)).toEqual(['a/1', 'a', true]);
    expect(target({ rack: 'b' }, identity)).toEqual([undefined, 'b', true]);
  });
});
