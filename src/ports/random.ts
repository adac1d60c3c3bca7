// Chance, as the daemon asks for it. Drawn once, journaled, never drawn again on replay.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}
