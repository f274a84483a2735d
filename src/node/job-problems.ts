import type { JobProblem } from './contract.ts'

/** Peers named for each problem; more are counted only. */
const PEERS_MAX = 16

interface Problem {
  count: number
  readonly peers: Set<string>
  example: string
  lastAt: number
}

/** What follows from each problem, in words for the page. */
const CONSEQUENCES: Readonly<Record<string, string>> = {
  vanished: 'Its units were given to others',
  lost: 'The units were lent again',
  deadline: 'The units were given to others; a late result still counts',
  failed: 'Never given to the same executor again',
  released: 'Given to others',
  disagreement: 'Further executors were asked, and the majority decides',
  'wrong-result': 'Excluded from this job; the conflicting signed receipts are kept as evidence',
  equivocation: 'Excluded from this job; both signed receipts are kept as evidence',
  unreliable: 'Gets no more units of this job',
  'bad-messages': 'Gets no more units of this job',
  attempts: 'Given up: every allowed attempt failed',
  input: 'Given up: its input cannot be read',
}

/** Problems of one job, each cause listed once. */
export class JobProblems {
  readonly #problems = new Map<string, Problem>()

  note(code: string, nowMs: number, peers: readonly string[], example: string): void {
    const problem = this.#problems.get(code) ?? { count: 0, peers: new Set(), example, lastAt: nowMs }
    problem.count++
    problem.lastAt = nowMs
    problem.example = example
    for (const peer of peers) if (problem.peers.size < PEERS_MAX) problem.peers.add(peer)
    this.#problems.set(code, problem)
  }

  list(): JobProblem[] {
    return [...this.#problems]
      .map(([code, { count, peers, example, lastAt }]) => ({
        code,
        count,
        peers: [...peers],
        example,
        consequence: CONSEQUENCES[code] ?? '',
        lastAt,
      }))
      .sort((a, b) => b.lastAt - a.lastAt)
  }
}
