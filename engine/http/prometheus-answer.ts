/** The envelope of Prometheus' API, for the endpoints that its clients read. */
import type { RequestHandler, Response } from 'express';

/** Thrown where a parameter is wrong; answered in Prometheus' own words for errors. */
export class BadParameter extends Error {
  override readonly name = 'BadParameter';
}

/** Answers with `{status: "success", data}`, or with 400 and `{status: "error"}` for a BadParameter. */
export function prometheusAnswer(read: (query: URLSearchParams) => unknown): RequestHandler {
  return (req, res) => {
    try {
      res.json({ status: 'success', data: read(new URL(req.originalUrl, 'http://engine').searchParams) });
    } catch (error) {
      if (!(error instanceof BadParameter)) throw error;
      refuse(res, { status: 400, errorType: 'bad_data', error: error.message });
    }
  };
}

interface Refusal {
  readonly status: number;
  /** Prometheus' own word for it. */
  readonly errorType: 'bad_data' | 'timeout' | 'unavailable';
  readonly error: string;
}

/** Answers as Prometheus does when it has no result. */
export function refuse(res: Response, { status, ...problem }: Refusal): void {
  res.status(status).json({ status: 'error', ...problem });
}
