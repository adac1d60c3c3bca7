// `scheduler reload`: the running scheduler reads its definitions again. Refused ones leave the last good ones in place.

import { EXIT } from '../../core/error.ts'
import type { CommandContext } from '../context.ts'
import { plain, writeJson } from '../output.ts'

export async function run({ connect, out, json }: CommandContext): Promise<number> {
  const answer = await (await connect()).reload()
  if (json) writeJson(out.data, 'Reloaded', answer)
  else if (answer.ok) out.data.line(`reloaded: ${answer.schedules} schedules, ${answer.dags} dags`)
  else {
    for (const error of answer.errors) out.data.line(plain(error))
    out.note.line(
      `refused; the scheduler goes on with its last good definitions (${answer.schedules} schedules, ${answer.dags} dags)`,
    )
    out.note.line('`scheduler validate` shows the places')
  }
  return answer.ok ? EXIT.ok : EXIT.configInvalid
}
