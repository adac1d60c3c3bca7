// `scheduler calendar import`: the holidays of a country, asked of the library date-holidays and written down as a plain
// calendar file. The library is no dependency of the scheduler: whoever imports installs it, and runs read the file alone.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type Holidays from 'date-holidays'
import type { HolidaysTypes } from 'date-holidays'
import { formatDay, parseDay } from '../../core/calendar/day.ts'
import { DagbokError, EXIT } from '../../core/error.ts'
import { checkId } from '../../core/ids.ts'
import { HOUR_MS } from '../../core/time/instant.ts'
import { isTimeZone } from '../../core/time/zone.ts'
import type { CommandContext } from '../context.ts'
import type { CalendarFlags } from '../flags.ts'
import { plain, writeJson } from '../output.ts'
import { suggest, UsageError } from '../usage.ts'

const TYPES: readonly string[] = ['public', 'bank', 'optional', 'school', 'observance']
const LONGEST_YEARS = 100

interface ImportedDay {
  readonly from: string
  readonly to: string
  readonly name: string
}

export async function run(context: CommandContext, flags: CalendarFlags): Promise<number> {
  const { out, json, cwd, sources } = context
  if (sources.statePath.from === 'flag')
    throw new UsageError('--state is the path of the journal', 'for a part of a country: --country US-CA')
  const { firstYear, lastYear } = readYears(flags.years)
  const types = readTypes(flags.types)
  const Library = await loadLibrary()
  const place = readPlace(new Library(), flags.country)
  const [country = '', state = '', region = ''] = place
  const library = new Library(country, state, region, {
    types: types as HolidaysTypes.HolidayType[],
    languages: ['en'],
  })
  const name = flags.name ?? place.join('_').toLowerCase()
  const wrong = checkId(name)
  if (wrong !== undefined) throw new UsageError(`--name: ${wrong}`, 'for example --name us_ca')
  const days: ImportedDay[] = []
  for (let year = firstYear; year <= lastYear; year++)
    for (const holiday of library.getHolidays(year)) {
      const imported = types.includes(holiday.type) ? readHoliday(holiday) : undefined
      if (imported !== undefined) days.push(imported)
    }
  if (days.length === 0)
    throw new UsageError(
      `no holidays of type ${types.join(', ')} are known for ${place.join('-')} in these years`,
      'try other --years or --types',
    )
  const timezone = library.getTimezones()[0] ?? 'UTC'
  const text = formatFile({
    name,
    place: place.join('-'),
    years: firstYear === lastYear ? `${firstYear}` : `${firstYear} to ${lastYear}`,
    timezone: isTimeZone(timezone) ? timezone : 'UTC',
    days,
  })
  if (flags.out === undefined) {
    if (json) writeJson(out.data, 'CalendarImport', { name, days: days.length, text })
    else out.data.write(text)
    return EXIT.ok
  }
  const file = resolve(cwd, flags.out)
  await write(file, text, flags.force === true)
  if (json) writeJson(out.data, 'CalendarImport', { name, days: days.length, file })
  else out.note.line(`${file}: calendar ${name}, ${days.length} holidays`)
  return EXIT.ok
}

async function loadLibrary(): Promise<typeof Holidays> {
  try {
    return (await import('date-holidays')).default
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new DagbokError('CALENDAR_IMPORT_UNAVAILABLE', 'the library date-holidays is not installed', {
      exitCode: EXIT.notFound,
      hint: 'npm install date-holidays (46 MB; it is needed for imports only), then call this again',
    })
  }
}

/**
 * Reads `US`, `US-CA` or `DE-BY-A`: a country, a part of it, a part of that.
 * @throws UsageError naming what is known
 */
function readPlace(library: Holidays, country: string | undefined): string[] {
  if (country === undefined)
    throw new UsageError(
      'calendar import needs --country',
      'for example --country US, or US-CA for a part of it',
    )
  const [first = '', second, ...rest] = country.split('-')
  const region = rest.length === 0 ? undefined : rest.join('-')
  const code = findCode(first, library.getCountries('en'), 'countries are two letters, such as US, GB or DE')
  const place = [code]
  if (second !== undefined) place.push(findCode(second, library.getStates(code)))
  if (region !== undefined) place.push(findCode(region, library.getRegions(code, place[1]!)))
  return place
}

function findCode(
  word: string,
  known: Readonly<Record<string, string>> | undefined,
  remedy?: string,
): string {
  const codes = Object.keys(known ?? {})
  const code = codes.find(each => each.toLowerCase() === word.toLowerCase())
  if (code !== undefined) return code
  const named = codes.find(each => known?.[each]?.toLowerCase() === word.toLowerCase())
  if (named !== undefined)
    throw new UsageError(`--country: ${JSON.stringify(word)} is a name`, `write ${named}`)
  throw new UsageError(
    `--country: ${JSON.stringify(word)} is not known`,
    remedy ?? (codes.length === 0 ? 'this one has no parts' : `its parts are ${codes.join(', ')}`),
  )
}

function readYears(text: string | undefined): { firstYear: number; lastYear: number } {
  const match = /^(\d{4})(?:-(\d{4}))?$/.exec(text ?? '')
  const firstYear = Number(match?.[1])
  const lastYear = Number(match?.[2] ?? match?.[1])
  const isGood = firstYear >= 1900 && lastYear <= 2299 && firstYear <= lastYear
  if (match === null || !isGood || lastYear - firstYear >= LONGEST_YEARS)
    throw new UsageError(
      `--years: expected a year, or at most ${LONGEST_YEARS} of them, got ${JSON.stringify(text ?? '')}`,
      'for example --years 2026-2030',
    )
  return { firstYear, lastYear }
}

function readTypes(text = 'public'): string[] {
  const types = text.split(',').map(each => each.trim())
  for (const type of types)
    if (!TYPES.includes(type))
      throw new UsageError(
        `--types: expected ${TYPES.join(', ')}, got ${JSON.stringify(type)}`,
        suggest(type, TYPES, 'write them with commas between'),
      )
  return types
}

/** The whole days of a holiday; undefined for half a day, on which people work. */
function readHoliday({ date, start, end, name }: HolidaysTypes.Holiday): ImportedDay | undefined {
  const hour = Number(date.slice(11, 13))
  const first = parseDay(date.slice(0, 10))! + (hour === 0 ? 0 : 1)
  const hours = (end.getTime() - start.getTime()) / HOUR_MS - (hour === 0 ? 0 : 24 - hour)
  // A change of the clock takes an hour from a day.
  const days = Math.floor((hours + 1) / 24)
  if (days < 1) return undefined
  return { from: formatDay(first), to: formatDay(first + days - 1), name: plain(name).slice(0, 200) }
}

interface ImportedFile {
  readonly name: string
  readonly place: string
  readonly years: string
  readonly timezone: string
  readonly days: readonly ImportedDay[]
}

function formatFile({ name, place, years, timezone, days }: ImportedFile): string {
  const lines = [
    `# Holidays of ${place}, ${years}, from date-holidays (https://github.com/commenthol/date-holidays, CC BY 3.0).`,
    '# Written by scheduler calendar import. For changes of your own write a calendar that includes this one.',
    `name: ${name}`,
    `description: Holidays of ${place}, ${years}`,
    `timezone: ${timezone}`,
    'dates:',
    ...days.map(({ from, to, name }) => {
      const when = from === to ? `date: ${from}` : `from: ${from}, to: ${to}`
      return `  - { ${when}, name: ${JSON.stringify(name)} }`
    }),
  ]
  return `${lines.join('\n')}\n`
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new UsageError(`--out: ${file} exists already`, 'add --force to replace it')
    throw new UsageError(
      `--out: ${file} cannot be written: ${code}`,
      'create the folder, or name another file',
    )
  }
}
