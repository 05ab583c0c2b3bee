/** Colours of a terminal, where it has them and nobody minds. */
import type { Environment } from '../policy/environment-layer.ts';

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Colour = keyof typeof CODES;

/** Colours plain text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

export const COLOURED: Paint = (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m`;
export const UNCOLOURED: Paint = (_colour, text) => text;

/** As https://no-color.org asks for. */
export function paintFor(isTerminal: boolean, { NO_COLOR }: Environment): Paint {
  return isTerminal && !NO_COLOR ? COLOURED : UNCOLOURED;
}

const FINE = ['good', 'never_pinged', 'unobserved'];

/** Of the status of an agent, or the outcome of a ping. */
export function statusColour(status: string): Colour {
  if (FINE.includes(status)) return status === 'good' ? 'green' : 'dim';
  return status === 'poor' ? 'yellow' : 'red';
}
