// How a task says that there is nothing to do: `SKIP`, or `SKIP: why` (seed 000). A function returns it, a command prints it as
// its last line.

/** Why, in the task's own words; undefined if the text does not say SKIP. */
export function readSkip(text: string): string | undefined {
  const [, why] = /^SKIP(?::\s*(.*))?$/s.exec(text.trim()) ?? []
  if (why !== undefined) return why
  return text.trim() === 'SKIP' ? 'the task returned SKIP' : undefined
}
