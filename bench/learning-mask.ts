import { randomBytes } from 'node:crypto'
import { chacha20 } from '@noble/ciphers/chacha.js'
import { sha256Hex } from '../src/core/codec/hash.ts'
import { portableKeyAgreement, publicKeyOf } from '../src/core/learning/secure-sum/key-agreement.ts'
import { ownSeed, pairSeed, runSumWork } from '../src/core/learning/secure-sum/mask.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

/** Parameters of an MLP 784-32-10. */
const LENGTH = 25_450
const RUNS = 9

const bytes = (count: number) => new Uint8Array(randomBytes(count))

function timed(work: () => unknown): number {
  const started = performance.now()
  work()
  return performance.now() - started
}

/**
 * Masking one update among `participants`, from the agreed secrets to the masked vector, beside the keystreams alone that it is made of:
 * ChaCha20 of noble, and AES-256-CTR of the platform.
 */
async function masking(participants: number): Promise<BenchLine[]> {
  const session = sha256Hex(bytes(8))
  const mine = bytes(32)
  const keys = Array.from({ length: participants - 1 }, () => publicKeyOf(bytes(32)))
  const own = publicKeyOf(mine)
  const values = Int32Array.from({ length: LENGTH }, (_, at) => at - 12_000)
  let secrets: Uint8Array[] = []
  const agreeing = timed(() => {
    secrets = keys.map((key) => portableKeyAgreement.agree(mine, key) as Uint8Array)
  })
  const mask = () => {
    const pairs = secrets.map((secret, at) => ({
      seed: pairSeed(secret, session, [own, keys[at] as Uint8Array]),
      sign: (at % 2 === 0 ? 1 : -1) as 1 | -1,
    }))
    runSumWork({ length: LENGTH, vectors: [values], terms: [{ seed: ownSeed(mine, session), sign: 1 }, ...pairs] })
  }
  const zeros = new Uint8Array(4 * LENGTH)
  const out = new Uint8Array(4 * LENGTH)
  const nonce = new Uint8Array(12)
  const chacha = () => {
    for (let at = 0; at < participants; at++) chacha20(mine, nonce, zeros, out)
  }
  const aesKey = await crypto.subtle.importKey('raw', mine.slice(), 'AES-CTR', false, ['encrypt'])
  const aes = async () => {
    const started = performance.now()
    const algorithm = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }
    for (let at = 0; at < participants; at++) await crypto.subtle.encrypt(algorithm, aesKey, zeros)
    return performance.now() - started
  }
  // All three once before they count, then in turn, so that they meet the same machine.
  mask()
  chacha()
  await aes()
  const samples: { mask: number[]; chacha: number[]; aes: number[] } = { mask: [], chacha: [], aes: [] }
  for (let run = 0; run < RUNS; run++) {
    samples.mask.push(timed(mask))
    samples.chacha.push(timed(chacha))
    samples.aes.push(await aes())
  }
  const [maskMs, chachaMs, aesMs] = [median(samples.mask), median(samples.chacha), median(samples.aes)]
  const of = `n=${participants}, d=${LENGTH}`
  return [
    benchLine(`learning.mask (${of}; against ChaCha20 keystreams alone)`, maskMs, 'ms', chachaMs),
    benchLine(`learning.mask (${of}; against AES-256-CTR keystreams of the platform)`, maskMs, 'ms', aesMs),
    benchLine(`learning.mask (${of}; X25519 agreements in portable code)`, agreeing, 'ms'),
  ]
}

export async function run(): Promise<readonly BenchLine[]> {
  return [...(await masking(10)), ...(await masking(50))]
}
