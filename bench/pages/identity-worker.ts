import { verifyRounds } from './identity-rounds.ts'

/** The worker in which a tab's node would verify. */
verifyRounds().then(
  (rounds) => postMessage({ rounds }),
  (error: unknown) => postMessage({ error: String(error) }),
)
