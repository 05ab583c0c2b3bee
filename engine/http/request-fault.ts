/** What Express finds wrong with a request, in words for whoever sent it. */
import { Problem } from './problem.ts';

/** What its body parsers and its router add to errors. */
interface ExpressFault {
  readonly status?: number;
  readonly type?: string;
  readonly message?: string;
  readonly limit?: number;
}

const KNOWN: Readonly<Record<string, (fault: ExpressFault) => string>> = {
  'entity.too.large': ({ limit }) => `the body is too large: send at most ${limit} bytes`,
  'entity.parse.failed': ({ message }) => `the body is not JSON: ${message}`,
  'charset.unsupported': () => 'the body is in a charset that is not read: send UTF-8',
  'encoding.unsupported': () => 'the body is compressed in a way that is not read: send it as it is, or with gzip',
  'request.size.invalid': () => 'the body is not as long as its content-length says: send it again',
  'request.aborted': () => 'the body ended before its time: send it again',
};

/** Undefined when the fault is the engine's own. */
export function requestFault(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  const fault: ExpressFault = typeof error === 'object' && error !== null ? error : {};
  const { status, type, message } = fault;
  if (status === undefined || status < 400 || status >= 500) return undefined;
  const words = type === undefined ? undefined : KNOWN[type]?.(fault);
  return new Problem(
    status,
    words ?? pathFault(error) ?? inflationFault(error) ?? message ?? 'the request cannot be read',
  );
}

/** Only the router decodes: what it cannot decode stands in the path. */
function pathFault(error: unknown): string | undefined {
  if (!(error instanceof URIError)) return undefined;
  return 'the path contains a % that no character follows in UTF-8: write such characters as %E2%82%AC, and % itself as %25';
}

/** As Node names what its decompressors find. */
function inflationFault(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!/^(Z|ZSTD|ERR_)_/.test(code)) return undefined;
  return 'the body cannot be decompressed: send what content-encoding says, or no such header';
}
