import { hashSync } from 'bcryptjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPasswordChecker, type PasswordChecker } from '../../../exporter/web/password-checker.ts';

const hash = hashSync('secret', 4);
// bcryptjs throws on this form, which no configuration that was checked can hold.
const poison = hash.replace('$2b$', '$2x$');

function start(...room: Parameters<typeof createPasswordChecker>): PasswordChecker {
  const checker = createPasswordChecker(...room);
  onTestFinished(() => checker.close());
  return checker;
}

describe('createPasswordChecker', () => {
  it('tells right from wrong', async () => {
    const checker = start();
    const asked = ['secret', 'wrong', '', 'Secret', 'secret '].map((password) =>
      checker.check('a', { password, hash }),
    );
    expect(await Promise.all(asked)).toEqual([true, false, false, false, false]);
  });

  it('goes on with a fresh thread when one breaks', async () => {
    const checker = start();
    const broken = checker.check('a', { password: 'secret', hash: poison });
    const waiting = checker.check('a', { password: 'secret', hash });
    await expect(broken).rejects.toThrow(/Invalid salt revision/);
    expect(await waiting).toBe(true);
    expect(await checker.check('a', { password: 'secret', hash })).toBe(true);
  });

  it('says that it is busy instead of letting everybody wait', async () => {
    const checker = start({ perClient: 1, total: 2 });
    const check = (client: string) => checker.check(client, { password: 'secret', hash });
    expect(await Promise.all(['a', 'a', 'a', 'b', 'c'].map(check))).toEqual([true, true, 'busy', true, 'busy']);
  });

  it('answers everybody who waits when it is closed', async () => {
    const checker = createPasswordChecker();
    const waiting = [1, 2, 3].map(() => checker.check('a', { password: 'secret', hash: hashSync('secret', 12) }));
    await checker.close();
    expect(await Promise.all(waiting)).toEqual(['busy', 'busy', 'busy']);
  });
});
