// The day of Easter Sunday, as a day of the Gregorian calendar.

import { type Day, dayOf } from './day.ts'

/** Western Easter; the "anonymous Gregorian" rule of 1876, for every year from 1583. */
export function easterOf(year: number): Day {
  const golden = year % 19
  const century = Math.floor(year / 100)
  const inCentury = year % 100
  const moonShift = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3)
  const epact = (19 * golden + century - Math.floor(century / 4) - moonShift + 15) % 30
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(inCentury / 4) - epact - (inCentury % 4)) % 7
  const late = Math.floor((golden + 11 * epact + 22 * toSunday) / 451)
  const sum = epact + toSunday - 7 * late + 114
  return dayOf(year, Math.floor(sum / 31), (sum % 31) + 1)
}

/** Orthodox Easter: reckoned in the Julian calendar (Meeus), told in the Gregorian one. */
export function orthodoxEasterOf(year: number): Day {
  const moon = (19 * (year % 19) + 15) % 30
  const toSunday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
  const sum = moon + toSunday + 114
  const julianLead = Math.floor(year / 100) - Math.floor(year / 400) - 2
  return dayOf(year, Math.floor(sum / 31), (sum % 31) + 1) + julianLead
}
