/** Upper and lower case as Go maps them: letter by letter, and each to one letter. */

export function toUpperCase(text: string): string {
  return mapLetters(text, (letter) => CAPITALS.get(letter) ?? letter.toUpperCase());
}

export function toLowerCase(text: string): string {
  // Its small letter is i with a dot of its own, which JavaScript writes as two.
  return mapLetters(text, (letter) => (letter === 'İ' ? 'i' : letter.toLowerCase()));
}

/** Greek capitals with an iota beside them, where JavaScript writes the iota as a second capital. */
const CAPITALS = new Map(Array.from('ᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾼῌῼ', (letter) => [letter.toLowerCase(), letter]));

/** A letter whose other case is several letters stays: ß has no capital. */
function mapLetters(text: string, change: (letter: string) => string): string {
  return Array.from(text, (letter) => {
    const changed = change(letter);
    return Array.from(changed).length === 1 ? changed : letter;
  }).join('');
}
