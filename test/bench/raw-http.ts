/** HTTP on bare sockets: an HTTP client would cost more than the servers compared and hide the difference between them. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names and values in the order sent, without those that Node adds by itself. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly keepAliveMs: number;
}

const ADDED_BY_NODE = new Set(['date', 'connection', 'keep-alive']);

/** Asks once and takes the answer apart. */
export async function rawAnswer(port: number, path: string): Promise<RawAnswer> {
  let text = '';
  await converse(port, path, (answer) => {
    text = answer;
    return false;
  });
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const [, seconds = '5'] = /^keep-alive: timeout=(\d+)/im.exec(head) ?? [];
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: headers.filter(([name]) => !ADDED_BY_NODE.has(name.toLowerCase())),
    body,
    keepAliveMs: Number(seconds) * 1000,
  };
}

/** Asks over one keep-alive connection, again after each answer, until `onAnswer` returns false. */
export async function converse(port: number, path: string, onAnswer: (answer: string) => boolean): Promise<void> {
  const question = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
  const socket = connect(port, '127.0.0.1', () => socket.write(question));
  socket.setEncoding('latin1').setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
  let answer = '';
  socket.on('data', (chunk: string) => {
    answer += chunk;
    if (answer.length < answerLength(answer)) return;
    const again = onAnswer(answer);
    answer = '';
    if (again) socket.write(question);
    else socket.end();
  });
  await once(socket, 'close');
}

/** Bytes of a whole answer, from what it begins with. */
function answerLength(start: string): number {
  const headEnd = start.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return Infinity;
  const [, length] = /^content-length: (\d+)/im.exec(start.slice(0, headEnd)) ?? [];
  if (length === undefined) throw new Error('the answer has no Content-Length');
  return headEnd + Number(length);
}
