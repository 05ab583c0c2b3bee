/** The section basic_auth_users: names and the bcrypt hashes of their passwords. */

import { entriesOf, note, pathTo, quoted, type Reader } from './fields.ts';

/** Password hashes by user name. */
export type Users = ReadonlyMap<string, string>;

const bcryptHash = /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/;

// Each step doubles the work: at 18 a check takes a quarter of a minute, and nobody else is checked meanwhile.
const maxCost = 18;

export const usersSection: Reader<Users> = (node, spot) => {
  const users = new Map<string, string>();
  for (const { key: user, keyPlace, value } of entriesOf(node, spot)) {
    const path = pathTo(spot, quoted(user));
    const hash = value.kind === 'text' ? value.text : '';
    // The text that is no hash may be the password itself: it is not repeated here.
    const problem = problemOfHash(hash, user);
    if (problem !== undefined) note(spot, { place: value.place, message: `${path} ${problem[0]}`, fix: problem[1] });
    if (user.includes(':'))
      note(spot, {
        place: keyPlace,
        message: `${path} can never log in: basic auth ends a name at its colon`,
        fix: 'rename the user',
      });
    users.set(user, hash);
  }
  return users;
};

function problemOfHash(hash: string, user: string): readonly [message: string, fix: string] | undefined {
  const cost = Number(bcryptHash.exec(hash)?.groups?.cost ?? Number.NaN);
  if (Number.isNaN(cost) || cost < 4 || cost > 31)
    return ['is not a bcrypt hash ($2a$, $2b$ or $2y$)', `make one with: htpasswd -nBC 10 ${quoted(user)}`];
  if (cost > maxCost)
    return [`has bcrypt cost ${cost}, which takes too long to check`, 'make a hash with a cost from 10 to 14'];
  return undefined;
}
