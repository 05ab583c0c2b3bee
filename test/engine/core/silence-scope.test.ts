import { describe, expect, it } from 'vitest';
import { scopeOf } from '../../../engine/core/silence-scope.ts';
import { policy } from './fixtures.ts';
import { maintenancePolicy, matcher } from './silences.ts';

const POLICY = policy({ maintenance: maintenancePolicy({ matcher: matcher('planned=~yes|') }) });

const GPUS = ['a/0', 'a/1', 'b/0'].map((gpu) => {
  const [node = '', index = ''] = gpu.split('/');
  return { gpu, node, labels: { gpu: index, modelName: 'NVIDIA A100' } };
});

function covered(...matchers: readonly string[]): readonly string[] | string {
  const scope = scopeOf(POLICY, matchers.map(matcher));
  return scope.ok ? GPUS.filter(scope.covers).map(({ gpu }) => gpu) : scope.reason;
}

describe('scopeOf', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['a node by the identity label', ['instance=a'], ['a/0', 'a/1']],
    ['a node by the name that the engine gives it', ['node=b'], ['b/0']],
    ['nodes by a pattern that must match the whole name', ['instance=~a|b.+'], ['a/0', 'a/1']],
    ['a GPU by the identity label', ['UUID=a/1'], ['a/1']],
    ['a GPU by the name that the engine gives it', ['uuid=a/1'], ['a/1']],
    ['one GPU of a node by a descriptive label', ['instance=a', 'gpu=0'], ['a/0']],
    ['a node, with the matcher that declares', ['instance=a', 'planned=~yes|'], ['a/0', 'a/1']],
    ['a node that nobody knows', ['instance=z'], []],
  ])('covers %s', (_, matchers, gpus) => {
    expect(covered(...matchers)).toEqual(gpus);
  });

  const NO_PLACE = 'it names no node and no GPU; add a matcher on instance or UUID';
  it.each<[string, readonly string[], string]>([
    ['names nothing', [], NO_PLACE],
    ['only declares', ['planned=~yes|'], NO_PLACE],
    ['matches every node', ['instance=~.*'], NO_PLACE],
    ['matches every name that is not empty', ['instance=~.+'], NO_PLACE],
    ['matches every name of at least one letter', ['instance=~[a-z].*|[^a-z].*'], NO_PLACE],
    ['matches GPUs without a place', ['modelName=NVIDIA A100'], NO_PLACE],
    ['matches nodes without a name', ['instance='], NO_PLACE],
    [
      'says what it leaves out',
      ['instance!=a'],
      'its matcher on instance says what it leaves out, not what it is about',
    ],
    ['leaves out by pattern', ['instance!~a'], 'its matcher on instance says what it leaves out, not what it is about'],
    [
      'mutes one alert of a node',
      ['instance=a', 'alertname=GpuTooHot'],
      'its matcher on alertname mutes some alerts of a node, not the node',
    ],
    [
      'declares by another matcher than the policy names',
      ['instance=a', 'planned=yes'],
      'its matcher on planned mutes some alerts of a node, not the node',
    ],
    ['has a broken pattern', ['instance=~('], 'its pattern for instance is not a regular expression'],
    [
      'has an endless pattern',
      [`instance=~${'a|'.repeat(1001)}`],
      'its matcher on instance is longer than 2000 characters',
    ],
  ])('is no scope when it %s', (_, matchers, reason) => {
    expect(covered(...matchers)).toBe(reason);
  });
});
