/**
 * The places where the history can be cut exactly, however old it gets: numbers that readers were given and may come back
 * with. Anybody may ask, so there is room for a fixed number of them, and nobody who makes numbers up takes room from a
 * reader that comes back with what it was given.
 */

/** The number of a check that an answer ended with. Readers of other numbers lose precision only, never a total. */
export interface Mark {
  readonly seq: number;
  /** Whether a reader came back with it, and is not known to have got a later one. */
  readonly isUsed: boolean;
  /** The mark that its reader came with; undefined when it came with none, or is back with this one. */
  readonly answerTo?: number | undefined;
}

// Of marks that readers hold, and as many of the others.
const maxMarks = 256;

/**
 * An answer was given that ends with `seq`, to a reader that came with `since`. Gives the same marks back when that is no
 * news, which between two checks it can be only a few times: it need not be written then.
 */
export function withAnswer(marks: readonly Mark[], seq: number, since: number | undefined): readonly Mark[] {
  if (since === undefined || !isMarked(marks, since))
    return isMarked(marks, seq) ? marks : withMark(marks, { seq, isUsed: false });
  return withNext(withReturn(marks, since), seq, since);
}

/** A check that any reader of the run that ended may be sent back to. */
export function withEndOfRun(marks: readonly Mark[], seq: number): readonly Mark[] {
  return isHeldAt(marks, seq) ? marks : withMark(marks, { seq, isUsed: true });
}

export function isMarked(marks: readonly Mark[], seq: number): boolean {
  return marks.some((mark) => mark.seq === seq);
}

function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  return withinRoom([...marks.filter(({ seq }) => seq !== mark.seq), mark]);
}

// Whoever comes back with a number has got it, and needs the one before it no longer.
function withReturn(marks: readonly Mark[], since: number): readonly Mark[] {
  const mark = marks.find(({ seq }) => seq === since);
  if (mark === undefined || mark.isUsed) return marks;
  const returned = marks.map((each) => (each === mark ? { seq: since, isUsed: true } : each));
  return withinRoom(mark.answerTo === undefined ? returned : returned.map(releasedWhere(isNumber(mark.answerTo))));
}

// Of the answers to one number the first and the last are held: the last for a reader that lost those before, the first for
// one whose number somebody else asks with again.
function withNext(marks: readonly Mark[], seq: number, since: number): readonly Mark[] {
  if (isHeldAt(marks, seq)) return marks;
  const first = marks.find(({ answerTo }) => answerTo === since);
  const others = marks.map(releasedWhere((mark) => mark !== first && mark.answerTo === since));
  return withMark(others, { seq, isUsed: false, answerTo: since });
}

const isNumber = (seq: number) => (mark: Mark) => mark.seq === seq;

const releasedWhere =
  (isReleased: (mark: Mark) => boolean) =>
  (mark: Mark): Mark =>
    isReleased(mark) ? { seq: mark.seq, isUsed: false } : mark;

const isHeld = ({ isUsed, answerTo }: Mark) => isUsed || answerTo !== undefined;

function isHeldAt(marks: readonly Mark[], seq: number): boolean {
  return marks.some((mark) => mark.seq === seq && isHeld(mark));
}

// The oldest of each kind go first, and neither kind pushes out the other.
function withinRoom(marks: readonly Mark[]): readonly Mark[] {
  const held = newest(marks.filter(isHeld));
  const free = newest(marks.filter((mark) => !isHeld(mark)));
  return held.size + free.size === marks.length ? marks : marks.filter((mark) => held.has(mark) || free.has(mark));
}

function newest(marks: readonly Mark[]): ReadonlySet<Mark> {
  return new Set(marks.slice(-maxMarks));
}
