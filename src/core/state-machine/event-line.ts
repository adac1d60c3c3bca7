// What every line of the journal has, whatever happened.

export interface Line {
  /** When it was decided: ISO 8601 UTC with milliseconds. Order is `seq`, never this: clocks step. */
  timestamp: string
  /** Position in the journal, 1, 2, 3 … without a hole. 0 until the journal has taken the event. */
  seq: number
}
