/** Whether a template is plain text, which needs no parsing and always expands to itself. */
export function isConstantText(text: string): boolean {
  return !text.includes('{{') && text.isWellFormed();
}
