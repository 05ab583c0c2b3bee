/** Finds what deserves a person's attention in the log lines of the parts. */

const PINO_WARN = 40;

/** The text of a warning or an error in a part's log line, or undefined for everything else. */
export function warningIn(line: string): string | undefined {
  return line.startsWith('{') ? jsonWarning(line) : logfmtWarning(line);
}

/** pino: {"level":40,"msg":"..."} */
function jsonWarning(line: string): string | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null || !('level' in entry)) return undefined;
    if (typeof entry.level !== 'number' || entry.level < PINO_WARN) return undefined;
    return 'msg' in entry ? String(entry.msg) : line;
  } catch {
    return undefined;
  }
}

/** Prometheus and Alertmanager: `level=warn` before their 3.0 and 0.28, `level=WARN` since. */
function logfmtWarning(line: string): string | undefined {
  if (!/\blevel=(warn|error)\b/i.test(line)) return undefined;
  const message = logfmtField(line, 'msg') ?? line;
  const cause = logfmtField(line, 'err');
  return cause === undefined ? message : `${message}: ${cause}`;
}

function logfmtField(line: string, name: string): string | undefined {
  const match = new RegExp(`\\b${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|(\\S+))`).exec(line);
  return match?.[1]?.replaceAll('\\"', '"') ?? match?.[2];
}
