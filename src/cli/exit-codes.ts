/** What the exit code of every command means; `--help` lists them. */
export const EXIT = {
  ok: 0,
  /** A job ended without all of its units done and right, or a receipt is not valid. */
  failed: 1,
  /** The command was called wrongly, or an input cannot be read. */
  usage: 2,
  /** No relay, no peers, no port, no browser. */
  network: 3,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const

const CODES: Readonly<Record<string, number>> = {
  UsageError: EXIT.usage,
  InvalidMessageError: EXIT.usage,
  LimitExceededError: EXIT.usage,
  PageFilesError: EXIT.usage,
  RelayKeyError: EXIT.usage,
  RelayPolicyError: EXIT.usage,
  DamagedBackupError: EXIT.usage,
  WeakPassphraseError: EXIT.usage,
  WrongPassphraseError: EXIT.usage,
  OtherIdentityError: EXIT.usage,
  SupersededBackupError: EXIT.usage,
  UnlockNeededError: EXIT.usage,
  DeviceRefusedError: EXIT.usage,
  RootKeyLockedError: EXIT.usage,
  BrowserMissingError: EXIT.network,
  ListenError: EXIT.network,
  NetworkUnavailableError: EXIT.network,
  RendezvousError: EXIT.network,
  JobEndedError: EXIT.failed,
  JobFailedError: EXIT.failed,
  InterruptedError: EXIT.interrupted,
}

/** The exit code for what ended a command; anything unknown is a failure. */
export function exitCodeOf(error: unknown): number {
  const name = error instanceof Error ? error.name : ''
  // A module that the sandbox refuses is a wrong argument, whatever its limit is called.
  return CODES[name] ?? (/Module/.test(name) ? EXIT.usage : EXIT.failed)
}

export const EXIT_CODE_HELP = `
Exit codes:
  0    all is well
  1    a job ended without all of its units done, or a receipt is not valid
  2    wrong use: an option, a file or a line of input; the message names it
  3    no relay, no peers, no free port or no browser
  130  interrupted`
