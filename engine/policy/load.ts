/** Loads a policy: built-in defaults, then the file, then the environment; later wins. */
import type { Policy } from '../core/policy.ts';
import { consistencyProblems } from './consistency.ts';
import { type Diagnostic, sortDiagnostics } from './diagnostics.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { type Environment, environmentDiagnostic, readEnvironment, settingVariable } from './environment-layer.ts';
import { asPolicyFile, type Problem, shapeProblems } from './issues.ts';
import { schemaAt } from './json-schema.ts';
import { type Layers, originOf, type Setting, settingsOf } from './provenance.ts';
import { resolvePolicy } from './resolve.ts';
import type { PolicyFile } from './schema.ts';
import { isMapping, leafPaths, type Mapping, overlay, valueAt, without } from './tree.ts';
import { parseYaml, type YamlDocument, type YamlPath } from './yaml.ts';

export interface PolicyInput {
  /** Shown in diagnostics and provenance; the file is not read here. */
  readonly file: string;
  readonly source: string;
  readonly env: Environment;
}

export type PolicyOutcome =
  | {
      readonly ok: true;
      readonly policy: Policy;
      readonly warnings: readonly Diagnostic[];
      readonly provenance: readonly Setting[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Parses, checks and resolves a policy. Every problem of the file and of the environment is reported together. */
export function loadPolicy({ file, source, env }: PolicyInput): PolicyOutcome {
  const document = parseYaml(source, file);
  const environment = readEnvironment(env);
  if (!document.ok) return failed([...document.diagnostics, ...environment.diagnostics]);
  const content = withMappings(document.value);
  const shape = shapeProblems(content);
  const layers = layersOf(document, validPart(content, shape), environment.tree, env);
  const effective = asPolicyFile(effectiveTree(layers));
  const problems = [...shape, ...besides(shape, contradictions(layers, effective))];
  const diagnostics = [...environment.diagnostics, ...problems.map((problem) => diagnose(layers, problem))];
  if (diagnostics.some(({ severity }) => severity === 'error')) return failed(diagnostics);
  const provenance = settingsOf(layers, effective);
  return { ok: true, policy: resolvePolicy(effective), warnings: sortDiagnostics(diagnostics), provenance };
}

function failed(diagnostics: readonly Diagnostic[]): PolicyOutcome {
  return { ok: false, diagnostics: sortDiagnostics(diagnostics) };
}

/** A section whose keys are all commented out is null in YAML; it means the same as leaving the section away. */
function withMappings(value: unknown, path: YamlPath = []): unknown {
  if (value === null && schemaAt(path)?.type === 'object') return {};
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withMappings(child, [...path, key])]));
}

/** Invalid values are left out, so that what the others say about each other is still reported. */
function validPart(content: unknown, shape: readonly Problem[]): Mapping {
  return shape.reduce((tree, { path }) => without(tree, path), isMapping(content) ? content : {});
}

const BUILT_IN: Mapping = asPolicyFile({});

function layersOf(document: YamlDocument, file: Mapping, environment: Mapping, env: Environment): Layers {
  const written = asPolicyFile(overlay(overlay(BUILT_IN, file), environment));
  return { derived: derivedDefaults(written), file, environment, document, env };
}

function effectiveTree({ derived, file, environment }: Layers): Mapping {
  return [derived, file, environment].reduce(overlay, BUILT_IN);
}

/** Defaults that follow from other values. */
function derivedDefaults(file: PolicyFile): Mapping {
  const entries = [file, ...Object.values(file.capabilities)].flatMap(({ windows }) => Object.values(windows ?? {}));
  const ranges = entries.map((window) => (isMapping(window) ? (parseDuration(String(window.range)) ?? 0) : 0));
  const intervalMs = parseDuration(file.interval) ?? 1;
  return {
    backfill: formatDuration(2 * Math.max(intervalMs, ...ranges)),
    presence: { fresh: formatDuration(2 * intervalMs) },
  };
}

function contradictions(layers: Layers, file: PolicyFile): readonly Problem[] {
  const isWritten = (path: YamlPath) => originOf(layers, path).kind !== 'default';
  return consistencyProblems(file, (...paths) => paths.find(isWritten) ?? paths[0]);
}

/** Contradictions that are only consequences of a shape problem of the same entry are left out. */
function besides(shape: readonly Problem[], found: readonly Problem[]): Problem[] {
  const isWithin = (path: YamlPath, outer: YamlPath) => outer.every((step, index) => path[index] === step);
  return found.filter(({ path }) => !shape.some((problem) => isWithin(problem.path, path)));
}

function diagnose(layers: Layers, problem: Problem): Diagnostic {
  const { path, part, severity, message, fix, range } = problem;
  const { document } = layers;
  const origin = originOf(layers, path);
  if (origin.kind === 'environment')
    return environmentDiagnostic(`${origin.name}=${origin.text}: ${message}`, fix, severity);
  const orphan = orphanedVariable(layers, path);
  if (orphan !== undefined) {
    const removed = `${orphan.name}=${orphan.text}: ${path.join('.')} is off in ${document.file}`;
    return environmentDiagnostic(removed, 'unset the variable, or remove the off', severity);
  }
  const position = range ? document.locateInScalar(path, range.from, range.to) : document.locate(path, part);
  return { file: document.file, ...position, severity, message, fix };
}

/** The variable that overrides a field of an entry which the file removed, and so brings back an incomplete entry. */
function orphanedVariable({ file, environment, env }: Layers, path: YamlPath) {
  const removed = valueAt(file, path);
  const overrides = valueAt(environment, path);
  if (!isMapping(overrides) || (removed !== 'off' && removed !== null)) return undefined;
  const [leaf] = leafPaths(overrides, path.map(String));
  return leaf && settingVariable(env, leaf);
}
