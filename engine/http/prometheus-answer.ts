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
      refuse(res, error.message);
    }
  };
}

function refuse(res: Response, error: string): void {
  res.status(400).json({ status: 'error', errorType: 'bad_data', error });
}
