/** Expansions outside of the engine: the data, and queries answered from a table. */

import type { Sample } from '../../../../engine/prometheus/query.ts';
import {
  compileTemplate,
  type Template,
  type TemplateData,
  type TemplateWorld,
} from '../../../../engine/rules/template/template.ts';

export const DATA: TemplateData = {
  labels: { instance: 'gpu-1:9400', gpu: '3', watts: '1500' },
  value: 92.25,
  externalLabels: { region: 'eu' },
  externalUrl: 'http://prometheus.example:9090',
};

const AT_MS = 1_700_000_000_123;

/** Answers from `answers` and counts what it is asked; rejects what the table lacks. */
export class AnsweringWorld implements TemplateWorld {
  readonly atMs = AT_MS;
  readonly asked: string[] = [];
  readonly #answers: Readonly<Record<string, readonly Sample[]>>;

  constructor(answers: Readonly<Record<string, readonly Sample[]>> = {}) {
    this.#answers = answers;
  }

  async query(expr: string): Promise<readonly Sample[]> {
    this.asked.push(expr);
    const answer = Object.hasOwn(this.#answers, expr) ? this.#answers[expr] : undefined;
    if (answer === undefined) throw new Error('no such query');
    return answer;
  }
}

/** The template of the alert GpuHot. Throws when it has a mistake. */
export function compiled(text: string): Template {
  const result = compileTemplate(text, { name: 'GpuHot' });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.template;
}
