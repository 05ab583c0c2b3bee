/** What a client asks for in its headers: the format of a page, its compression, and how long it will wait. */

export type Format = 'text' | 'openmetrics';

/**
 * The format for an Accept header. Where `preferred` is text, only those who take nothing else get OpenMetrics; otherwise the
 * weights decide, and at equal weight OpenMetrics. A wildcard does not ask for OpenMetrics: it comes from people with a browser
 * or curl. Whoever accepts neither gets text, as from any exporter.
 */
export function negotiateFormat(accept: string | undefined, preferred: Format): Format {
  const ranges = parseWeighted(accept ?? '');
  const openMetrics = weightOf(ranges, { names: ['application/openmetrics-text'], version: '1.0.0' });
  const text = weightOf(ranges, { names: ['text/plain', 'text/*', '*/*'], version: '0.0.4' });
  if (preferred === 'text') return openMetrics > 0 && text === 0 ? 'openmetrics' : 'text';
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text';
}

/** Whether an Accept-Encoding header takes gzip; `gzip;q=0` refuses it. */
export function acceptsGzip(header: string | undefined): boolean {
  return weightOf(parseWeighted(header ?? ''), { names: ['gzip', '*'], version: undefined }) > 0;
}

const defaultPatienceMs = 1_000;
const maxPatienceMs = 5_000;
const marginMs = 500;

/**
 * How long a page may be waited for, in milliseconds: what X-Prometheus-Scrape-Timeout-Seconds leaves when the page still has to be
 * sent, and never so long that a broken driver would hold connections open.
 */
export function patienceMs(scrapeTimeout: string | readonly string[] | undefined): number {
  const seconds = typeof scrapeTimeout === 'string' ? Number(scrapeTimeout) : Number.NaN;
  if (!(seconds > 0)) return defaultPatienceMs;
  const leftMs = seconds * 1000 - Math.min(marginMs, seconds * 500);
  return Math.min(leftMs, maxPatienceMs);
}

/** One entry of a header such as Accept. */
interface Weighted {
  readonly name: string;
  readonly version: string | undefined;
  /** From 0, not acceptable, to 1. */
  readonly weight: number;
}

// Commas and semicolons inside quotes separate nothing.
const entryPattern = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
const parameterPattern = /;\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;\s]*)/g;

function parseWeighted(header: string): readonly Weighted[] {
  return (header.match(entryPattern) ?? []).map(parseEntry);
}

function parseEntry(entry: string): Weighted {
  const found = entry.matchAll(parameterPattern);
  const parameters = new Map([...found].map(([, name = '', value = '']) => [name.toLowerCase(), unquoted(value)]));
  const [name = ''] = entry.split(';', 1);
  return {
    name: name.trim().toLowerCase(),
    version: parameters.get('version'),
    weight: parseWeight(parameters.get('q')),
  };
}

function unquoted(value: string): string {
  return value.replace(/^"(.*?)"?$/, '$1');
}

function parseWeight(text: string | undefined): number {
  if (text === undefined) return 1;
  return /^[01](\.\d*)?$/.test(text) ? Math.min(1, Number(text)) : 0;
}

interface Offer {
  /** What may ask for it, the most specific first: that alone counts. */
  readonly names: readonly string[];
  readonly version: string | undefined;
}

// An entry of another version asks for something else; the one that names the version is more specific than one that names none.
function weightOf(entries: readonly Weighted[], { names, version }: Offer): number {
  for (const name of names) {
    const named = entries.filter((entry) => entry.name === name);
    const entry = named.find((one) => one.version === version) ?? named.find((one) => one.version === undefined);
    if (entry !== undefined) return entry.weight;
  }
  return 0;
}
