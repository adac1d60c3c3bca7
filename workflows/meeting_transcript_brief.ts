// Example workflow: a brief of a meeting, from its transcript by simple rules of text.
//
// A transcript has one contribution a line: `Ana: We decided to ship on Friday.` Without one the brief carries over what
// upstream tasks have to say (`report__highlights`), as an agenda.

interface Args {
  meeting_title: string
  transcript?: string
  report__highlights?: string[]
}

interface Action {
  owner: string
  text: string
  due?: string
}

const SPEAKER = /^\s*(?:\[[\d:.]+\]\s*)?([A-Z][\p{L}.'-]*(?: [A-Z][\p{L}.'-]*){0,2}):\s+(.*)$/u
const DECISION = /\b(?:we (?:have )?(?:decided|agreed)|let's go with|we will go with|approved)\b/i
const NAMED_DECISION = /^(?:decision|agreed):\s*/i
const OWN_ACTION = /\b(?:I will|I'll|I am going to|I'm going to|I can take)\b/i
const ASSIGNED_ACTION = /^(?:action(?: item)?|todo):\s*(.*)$/i
const ASKED = /^([A-Z][\p{L}'-]*),? (?:please|can you|could you|will you)\b\s*(.*)$/iu
const DUE =
  /\b(?:by|before|until|on) ((?:next )?(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|tomorrow|end of (?:day|week|month)|\d{4}-\d{2}-\d{2}))\b/i

function splitSentences(text: string): string[] {
  return text.split(/(?<=[.!?])\s+/).filter(sentence => sentence.trim() !== '')
}

/** Who is to do it, if the sentence gives somebody something to do. */
function findAction(sentence: string, speaker: string, attendees: ReadonlySet<string>): Action | undefined {
  const due = DUE.exec(sentence)?.[1]
  const found = (owner: string, text: string): Action => ({
    owner,
    text: text.replace(/[.!?]+$/, ''),
    ...(due === undefined ? {} : { due }),
  })
  const named = (first: string) =>
    [...attendees].find(name => name.split(' ')[0]!.toLowerCase() === first.toLowerCase())
  const assigned = ASSIGNED_ACTION.exec(sentence)?.[1]
  if (assigned !== undefined) return found(named(assigned.split(' ', 1)[0]!) ?? speaker, assigned)
  const asked = ASKED.exec(sentence)
  const owner = asked === null ? undefined : named(asked[1]!)
  if (owner !== undefined) return found(owner, asked![2]!)
  return OWN_ACTION.test(sentence) ? found(speaker, sentence) : undefined
}

export default function meetingTranscriptBrief({
  meeting_title,
  transcript = '',
  report__highlights = [],
}: Args) {
  const contributions: { speaker: string; text: string }[] = []
  for (const line of transcript.split(/\r?\n/)) {
    const match = SPEAKER.exec(line)
    if (match !== null && !/^(?:action(?: item)?|todo|decision|agreed)$/i.test(match[1]!))
      contributions.push({ speaker: match[1]!, text: match[2]! })
    else if (line.trim() !== '') {
      // A line without a name goes on with what was said before.
      const speaker = contributions.at(-1)?.speaker ?? 'unknown'
      contributions.push({ speaker, text: line.trim() })
    }
  }
  const attendees = new Set(contributions.map(({ speaker }) => speaker).filter(name => name !== 'unknown'))
  const decisions: string[] = []
  const actions: Action[] = []
  for (const { speaker, text } of contributions)
    for (const sentence of splitSentences(text)) {
      if (DECISION.test(sentence) || NAMED_DECISION.test(sentence))
        decisions.push(sentence.replace(NAMED_DECISION, ''))
      const action = findAction(sentence, speaker, attendees)
      if (action !== undefined) actions.push(action)
    }

  const section = (title: string, lines: string[]) =>
    lines.length === 0 ? [] : ['', `${title}:`, ...lines.map(line => `- ${line}`)]
  const brief = [
    meeting_title,
    attendees.size === 0 ? 'No transcript' : `Present: ${[...attendees].join(', ')}`,
    ...section('Decisions', decisions),
    ...section(
      'Actions',
      actions.map(({ owner, text, due }) => `${owner}: ${text}${due === undefined ? '' : ` (${due})`}`),
    ),
    ...section('Agenda', attendees.size === 0 ? report__highlights : []),
  ].join('\n')
  return { meeting_title, attendees: [...attendees], decisions, action_items: actions, brief }
}
