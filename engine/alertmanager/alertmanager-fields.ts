/** One entry of `alerting.alertmanagers` in a Prometheus configuration. */
import { resolve } from 'node:path';
import { HTTP_CLIENT_KEYS, type ReadContext, readHttpClient } from '../http-client/settings-fields.ts';
import {
  child,
  complain,
  complainOfKey,
  type Field,
  isBlank,
  readChoice,
  readCount,
  readDuration,
  readList,
  readMapping,
  readText,
  readTexts,
} from '../policy/yaml-fields.ts';
import { type AlertmanagerGroup, DEFAULT_TIMEOUT_MS, type SourceSettings } from './alerting.ts';
import { readTargetGroup } from './discovery/target-group.ts';
import { readRelabelRules } from './relabel-fields.ts';

const OWN_KEYS = [
  'scheme',
  'path_prefix',
  'timeout',
  'api_version',
  'relabel_configs',
  'alert_relabel_configs',
  'static_configs',
  'dns_sd_configs',
  'file_sd_configs',
];

/** The group that an entry describes; wrong parts are reported, and read as if absent. */
export function readGroup(field: Field, context: ReadContext): AlertmanagerGroup | undefined {
  if (isBlank(field)) complain(field, 'the entry is empty', 'fill it, or remove the "-"');
  if (isBlank(field)) return undefined;
  refuseUnsupported(field);
  if (readMapping(known(field), [...OWN_KEYS, ...HTTP_CLIENT_KEYS]) === undefined) return undefined;
  checkVersion(child(field, 'api_version'));
  const group = {
    scheme: readChoice(child(field, 'scheme'), ['http', 'https'], 'http'),
    pathPrefix: readText(child(field, 'path_prefix')) ?? '',
    timeoutMs: readPositive(child(field, 'timeout'), DEFAULT_TIMEOUT_MS),
    http: readHttpClient(field, context),
    sources: readSources(field, context),
    targetRules: readRelabelRules(child(field, 'relabel_configs')),
    alertRules: readRelabelRules(child(field, 'alert_relabel_configs')),
  };
  if (group.targetRules.length === 0) checkStaticAddresses(field);
  return { ...group, identity: JSON.stringify([context.directory, field.value]) };
}

const UNSUPPORTED = /_sd_configs$|^sigv4$/;

function isUnsupported(key: string): boolean {
  return UNSUPPORTED.test(key) && !OWN_KEYS.includes(key);
}

function refuseUnsupported(field: Field): void {
  for (const key of Object.keys(field.value ?? {}).filter(isUnsupported)) {
    const fix = key === 'sigv4' ? 'let a proxy in front sign the requests' : UNSUPPORTED_SD_FIX;
    complainOfKey(child(field, key), `"${key}" is not supported`, fix);
  }
}

const UNSUPPORTED_SD_FIX =
  'use static_configs, dns_sd_configs, or file_sd_configs with a file that something keeps fresh';

/** The entry without what has been refused by name already. */
function known(field: Field): Field {
  if (typeof field.value !== 'object' || field.value === null || Array.isArray(field.value)) return field;
  return { ...field, value: Object.fromEntries(Object.entries(field.value).filter(([key]) => !isUnsupported(key))) };
}

function checkVersion(field: Field): void {
  const text = readText(field) ?? 'v2';
  if (text !== 'v2')
    complain(field, 'this version of the API is not supported', 'write v2, which every Alertmanager since 0.16 has');
}

function readSources(field: Field, context: ReadContext): SourceSettings[] {
  const targets = readList(child(field, 'static_configs')).flatMap(readTargetGroup);
  return [
    ...(targets.length > 0 ? [{ kind: 'static' as const, targets }] : []),
    ...readList(child(field, 'dns_sd_configs')).flatMap((item) => readDns(item) ?? []),
    ...readList(child(field, 'file_sd_configs')).flatMap((item) => readFiles(item, context) ?? []),
  ];
}

const RECORD_TYPES = ['SRV', 'A', 'AAAA'] as const;

function readDns(field: Field): SourceSettings | undefined {
  if (readMapping(field, ['names', 'refresh_interval', 'type', 'port']) === undefined) return undefined;
  const names = readTexts(child(field, 'names'));
  if (names.length === 0) complain(field, 'there is no name to look up', 'add names: [alertmanager.example.com]');
  const written = child(field, 'type');
  const type = readChoice({ ...written, value: readText(written)?.toUpperCase() }, RECORD_TYPES, 'SRV');
  const port = readCount(child(field, 'port'), 0);
  if (type !== 'SRV' && port === 0) complain(field, `${type} records hold no port`, 'add port: 9093');
  if (port > 65_535) complain(child(field, 'port'), '"port" is too large', 'write a number from 1 to 65535');
  return { kind: 'dns', names, type, port, refreshMs: readPositive(child(field, 'refresh_interval'), 30_000) };
}

const FILE_PATTERN = /^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/;

function readFiles(field: Field, { directory }: ReadContext): SourceSettings | undefined {
  if (readMapping(field, ['files', 'refresh_interval']) === undefined) return undefined;
  const files = readList(child(field, 'files'));
  if (files.length === 0) complain(field, 'there is no file to read', 'add files: [alertmanagers/*.yml]');
  const patterns = files.flatMap((file) => {
    const pattern = readText(file) ?? '';
    if (FILE_PATTERN.test(pattern)) return [resolve(directory, pattern)];
    complain(file, 'this names no target file', 'end it in .json, .yml or .yaml; only its last part may hold a *');
    return [];
  });
  return { kind: 'file', patterns, refreshMs: readPositive(child(field, 'refresh_interval'), 300_000) };
}

function readPositive(field: Field, absent: number): number {
  const ms = readDuration(field, absent);
  if (ms === 0) complain(field, 'a time of 0 leaves none at all', 'write it like 30s');
  return ms || absent;
}

const ADDRESS_FIX = 'write host:port; scheme and path belong into "scheme" and "path_prefix"';
const PASSWORD_FIX = 'write host:port; user name and password belong into "basic_auth"';

function checkStaticAddresses(field: Field): void {
  for (const group of readListQuietly(child(field, 'static_configs'))) {
    for (const target of readListQuietly(child(group, 'targets'))) {
      if (typeof target.value !== 'string' || !/[/@]/.test(target.value)) continue;
      const fix = target.value.includes('@') ? PASSWORD_FIX : ADDRESS_FIX;
      complain(target, 'the target is not a host and port', fix);
    }
  }
}

/** Problems of the list itself have been reported by whoever read its values. */
function readListQuietly(field: Field): Field[] {
  return Array.isArray(field.value) ? readList(field) : [];
}
