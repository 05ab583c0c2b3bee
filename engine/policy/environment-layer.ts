/** Reads the overrides out of an environment. The environment is an argument; nothing here looks at the process. */
import type { Diagnostic } from './diagnostics.ts';
import { ENVIRONMENT, type EnvironmentVariable } from './environment.ts';
import { shapeProblems } from './issues.ts';
import { nearestName } from './nearest-name.ts';
import { type Mapping, overlay, treeOf } from './tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentLayer {
  /** The overrides in the shape of a policy file. */
  readonly tree: Mapping;
  readonly diagnostics: readonly Diagnostic[];
}

/** All overrides set in `env`. An empty variable counts as unset, as container tools pass unset ones. */
export function readEnvironment(env: Environment): EnvironmentLayer {
  let tree: Mapping = {};
  const diagnostics = misspeltVariables(env);
  for (const variable of ENVIRONMENT) {
    const text = env[variable.name]?.trim() ?? '';
    if (text === '') continue;
    const value = variable.reading.read(text);
    const problem = value === undefined ? unreadable(variable) : shapeProblem(variable, value);
    if (problem === undefined) tree = overlay(tree, treeOf(variable.path, value));
    else diagnostics.push(environmentDiagnostic(`${variable.name}=${text}: ${problem.message}`, problem.fix, 'error'));
  }
  return { tree, diagnostics };
}

/** The variable that sets `path`, as `NAME=text`; undefined when none does. */
export function settingVariable(env: Environment, path: readonly string[]): { name: string; text: string } | undefined {
  const key = path.join('.');
  const variable = ENVIRONMENT.find((candidate) => candidate.path.join('.') === key);
  const text = variable && (env[variable.name]?.trim() ?? '');
  return variable === undefined || text === undefined || text === '' ? undefined : { name: variable.name, text };
}

/** A problem that no file holds. */
export function environmentDiagnostic(message: string, fix: string, severity: Diagnostic['severity']): Diagnostic {
  return { file: 'environment', line: 0, column: 0, severity, message, fix };
}

interface Finding {
  readonly message: string;
  readonly fix: string;
}

function unreadable({ reading, documentedDefault }: EnvironmentVariable): Finding {
  return { message: `expected ${reading.expected}`, fix: `correct it, for example ${documentedDefault}, or unset it` };
}

function shapeProblem({ path }: EnvironmentVariable, value: unknown): Finding | undefined {
  return shapeProblems(treeOf(path, value))[0];
}

const OWN_PREFIX = /^(GPU|PING|AGENT)_/;
const TYPO_DISTANCE = 2;

/** Other programs own GPU_* variables too, so an unknown one is only suspected when it is nearly one of ours. */
function misspeltVariables(env: Environment): Diagnostic[] {
  const names = ENVIRONMENT.map((variable) => variable.name);
  const unknown = Object.keys(env).filter((name) => OWN_PREFIX.test(name) && !names.includes(name));
  return unknown.flatMap((name) => {
    const near = nearestName(name, names, TYPO_DISTANCE);
    if (near === undefined) return [];
    return [
      environmentDiagnostic(
        `${name} is not a variable of gpu-uptime and has no effect`,
        `did you mean ${near}?`,
        'warning',
      ),
    ];
  });
}
