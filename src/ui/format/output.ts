import type { Trap, UnitOutcome } from '../../core/tasks/unit.ts'

/** Why a unit stopped before its end, in words. */
export const TRAP_WORDS: Readonly<Record<Trap, string>> = {
  gas: 'it used up its gas',
  stack: 'it called itself too deeply',
  wasm: 'the program trapped (such as a division by zero or a read out of bounds)',
  output: 'it wrote more than it may, or less than its job states',
  abi: 'it did not keep to the ABI it declares',
}

/** How a unit ended, in words. */
export function endWords(outcome: UnitOutcome): string {
  if (outcome.trap !== null) return `Stopped: ${TRAP_WORDS[outcome.trap]}`
  return outcome.exitCode === 0 ? 'Exit code 0' : `Exit code ${outcome.exitCode}`
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The bytes as text if they are text a person can read, otherwise `null`. */
export function asText(bytes: Uint8Array): string | null {
  try {
    const text = UTF8.decode(bytes)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells bytes from text
    return /[\u0000-\u0008\u000e-\u001a]/.test(text) ? null : text
  } catch {
    return null
  }
}

const HEX_BYTES_SHOWN = 64

/** Text as it is, other bytes as hex, cut after `charactersMax`. */
export function preview(bytes: Uint8Array, charactersMax: number): string {
  const text = asText(bytes) ?? hex(bytes.subarray(0, HEX_BYTES_SHOWN)) + (bytes.length > HEX_BYTES_SHOWN ? ' …' : '')
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

/** Arguments of one call of `String.fromCharCode`; engines refuse many more. */
const CHUNK_BYTES = 0x8000

export function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  }
  return btoa(binary)
}
