/** A group of targets as static configurations and target files list them. */
import type { LabelSet } from '../../core/alert.ts';
import {
  child,
  complain,
  complainOfKey,
  type Field,
  readList,
  readMapping,
  readNamed,
  readText,
} from '../../policy/yaml-fields.ts';

/** One label set per target, the address as `__address__`, the group's labels included. */
export function readTargetGroup(field: Field): LabelSet[] {
  if (readMapping(field, ['targets', 'labels']) === undefined) return [];
  const labels = readNamed(child(field, 'labels')).map(([name, value]) => {
    if (name === '') complainOfKey(value, 'a label has no name', 'name it, or remove it');
    return [name, readText(value) ?? ''] as const;
  });
  return readList(child(field, 'targets')).map((target) => {
    const address = readText(target) ?? '';
    if (address === '') complain(target, 'the target is empty', 'write host:port, or remove the item');
    return { ...Object.fromEntries(labels), __address__: address };
  });
}
