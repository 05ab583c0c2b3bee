/** `title`: the first letter of every word in title case, the others as they are. */

const CASED = /^\p{Cased}$/u;
const WORD = /^[\p{L}\p{N}\p{M}\p{Pc}\p{Cf}]$/u;
/** One of these between letters joins them to one word (`it's`, `a.b`); two in a row do not. */
const JOINER = /^['.:··‘’․﹒＇．﹕：]$/u;
// The few letters that have a form for titles besides the large one.
const TITLE_LETTERS: Readonly<Record<string, string>> = {
  Ǆ: 'ǅ',
  ǆ: 'ǅ',
  Ǉ: 'ǈ',
  ǉ: 'ǈ',
  Ǌ: 'ǋ',
  ǌ: 'ǋ',
  Ǳ: 'ǲ',
  ǳ: 'ǲ',
};

export function titleCase(text: string): string {
  let isInWord = false;
  let wasJoiner = false;
  let titled = '';
  for (const letter of text) {
    const isJoiner = JOINER.test(letter);
    if (isJoiner ? wasJoiner : !WORD.test(letter)) isInWord = false;
    const isFirst: boolean = !isInWord && CASED.test(letter);
    titled += isFirst ? titleLetter(letter) : letter;
    isInWord ||= isFirst;
    wasJoiner = isJoiner;
  }
  return titled;
}

function titleLetter(letter: string): string {
  const special = TITLE_LETTERS[letter];
  if (special !== undefined) return special;
  // Georgian letters keep their form in titles although they have large ones.
  if (/^[ა-ჿ]$/u.test(letter)) return letter;
  const [first = letter, ...rest] = letter.toUpperCase();
  return first + rest.join('').toLowerCase();
}
