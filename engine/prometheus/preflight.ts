/** One look before judging: does this Prometheus hold what the policy asks for? Cold path, so prometheus-query does it. */
import { PrometheusDriver } from 'prometheus-query';
import type { Policy } from '../core/policy.ts';

/** Sentences for a person, empty when everything is there. Never throws: an unreachable Prometheus is reported elsewhere. */
export async function preflight(
  url: string,
  policy: Policy,
  atMs: number,
  timeoutMs: number,
): Promise<readonly string[]> {
  const driver = new PrometheusDriver({ endpoint: url, timeout: timeoutMs });
  const { observer, selector, target } = policy.presence;
  const wanted = [
    [
      observer,
      'nobody is seen watching, so all time is unobserved; let Prometheus scrape itself or set presence.observer',
    ],
    [selector, 'no GPU is seen; let Prometheus scrape a DCGM-style exporter or set presence.selector'],
    [target, 'a target that is down cannot be told from one that is gone; set presence.target'],
  ] as const;
  try {
    const counts = await Promise.all(wanted.map(([expr]) => driver.instantQuery(`count(${expr})`, atMs)));
    return wanted.flatMap(([expr, fix], i) =>
      counts[i]?.result.length === 0 ? [`${expr} has no series in ${url}: ${fix}`] : [],
    );
  } catch {
    return [];
  }
}
