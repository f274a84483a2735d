/** What went wrong with a job, by the code the node groups it under. */
const PROBLEMS: Readonly<Record<string, string>> = {
  vanished: 'An executor went away in the middle',
  lost: 'Units were lost on the way',
  deadline: 'An executor was too slow',
  failed: 'An executor could not run a unit',
  released: 'An executor gave units back',
  disagreement: 'Executors disagreed about a result',
  'wrong-result': 'An executor signed a wrong result',
  equivocation: 'An executor signed two different results for one unit',
  unreliable: 'An executor failed too often',
  'bad-messages': 'An executor sent messages that break the protocol',
  attempts: 'Units failed on every executor that tried',
  input: 'The input of a unit could not be read',
}

/** Why an executor gets no more units, as the end of a sentence about it. */
const EXCLUSIONS: Readonly<Record<string, string>> = {
  'wrong-result': 'signed a wrong result',
  equivocation: 'signed two different results for one unit',
  unreliable: 'failed too often',
  'bad-messages': 'sent messages that break the protocol',
}

export function exclusionWords(code: string): string {
  return EXCLUSIONS[code] ?? code.replaceAll('-', ' ')
}

export function problemWords(code: string): string {
  return PROBLEMS[code] ?? code.replaceAll('-', ' ')
}
