/** One look before judging: does this Prometheus hold what the policy asks for? Cold path, so prometheus-query does it. */
import { PrometheusDriver } from 'prometheus-query';
import type { Policy } from '../core/policy.ts';
import type { PromQuery } from './query.ts';

export interface PreflightOptions {
  readonly url: string;
  readonly policy: Policy;
  readonly atMs: number;
  readonly timeoutMs: number;
  /** Asks a Prometheus that wants TLS or credentials, which the library has no way to present. */
  readonly prom?: PromQuery;
}

/** Sentences for a person, empty when all is well. Never throws: an unreachable Prometheus is reported elsewhere. */
export async function preflight(options: PreflightOptions): Promise<readonly string[]> {
  const first = options.prom === undefined ? firstByLibrary(options) : firstByClient(options.prom, options);
  try {
    return [
      ...(await missingSeries(options, first)),
      ...(await rareSamples(options, first)),
      ...(await rareHeartbeat(options, first)),
    ];
  } catch {
    return [];
  }
}

/** First value of a query's answer; NaN when it has none. */
type AskFirst = (expr: string) => Promise<number>;

function firstByLibrary({ url, timeoutMs, atMs }: PreflightOptions): AskFirst {
  const driver = new PrometheusDriver({ endpoint: url, timeout: timeoutMs });
  return async (expr) => Number((await driver.instantQuery(expr, atMs)).result[0]?.value?.value);
}

function firstByClient(prom: PromQuery, { timeoutMs, atMs }: PreflightOptions): AskFirst {
  return async (expr) => {
    const [sample] = await prom.instant(expr, atMs, AbortSignal.timeout(timeoutMs));
    return sample?.value ?? Number.NaN;
  };
}

async function missingSeries({ url, policy }: PreflightOptions, first: AskFirst): Promise<readonly string[]> {
  const { observer, selector, target } = policy.presence;
  const wanted = [
    [
      observer,
      'nobody is seen watching, so all time is unobserved; let Prometheus scrape itself or set presence.observer',
    ],
    [selector, 'no GPU is seen; let Prometheus scrape a DCGM-style exporter or set presence.selector'],
    [target, 'a target that is down cannot be told from one that is gone; set presence.target'],
  ] as const;
  const counts = await Promise.all(wanted.map(([expr]) => first(`count(${expr})`)));
  return wanted.flatMap(([expr, fix], i) =>
    Number.isNaN(counts[i]) ? [`${expr} has no series in ${url}: ${fix}`] : [],
  );
}

const LOOK_BACK_SECONDS = 60;
/** Samples further apart than this share of `fresh` make healthy GPUs look down between two scrapes. */
const SAFE_SHARE = 0.75;

async function rareSamples({ policy }: PreflightOptions, first: AskFirst): Promise<readonly string[]> {
  const { selector, freshMs } = policy.presence;
  const apart = await tooFarApart(selector, freshMs, first);
  if (apart === undefined) return [];
  return [`${apart.finding}, and one older than ${freshMs / 1000} s is missing: ${apart.fix}`];
}

async function rareHeartbeat({ policy }: PreflightOptions, first: AskFirst): Promise<readonly string[]> {
  const { observer, freshMs } = policy.presence;
  const apart = await tooFarApart(observer, freshMs, first);
  if (apart === undefined) return [];
  const meaning = `${freshMs / 1000} s after one a missing GPU is unobserved instead of down`;
  return [`${apart.finding}, and ${meaning}: scrape it more often, or ${apart.fix}`];
}

/** Undefined when samples come often enough, or there are none: another sentence says so. */
async function tooFarApart(
  selector: string,
  freshMs: number,
  first: AskFirst,
): Promise<{ readonly finding: string; readonly fix: string } | undefined> {
  const samples = await first(`max(count_over_time(${selector}[${LOOK_BACK_SECONDS}s]))`);
  const seconds = Math.round(LOOK_BACK_SECONDS / samples);
  if (!(seconds * 1000 > SAFE_SHARE * freshMs)) return undefined;
  return {
    finding: `${selector} has a sample about every ${seconds} s`,
    fix: `set interval to ${seconds}s or presence.fresh to ${2 * seconds}s`,
  };
}
