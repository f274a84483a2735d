import type { ByteSource } from '../../core/learning/byte-source.ts'
import { InvalidProofError } from '../../core/learning/proofs/errors.ts'
import { PROOF_BATCH_MAX } from '../../core/learning/proofs/limits.ts'
import {
  commitUpdate,
  drawBlinding,
  findFalseProofs,
  type ProvedNorm,
  proveNorm,
} from '../../core/learning/proofs/norm-proof.ts'
import { decodeNormProof, encodeNormProof } from '../../core/learning/proofs/norm-proof-codec.ts'
import { bytesToScalars, scalarsToBytes } from '../../core/learning/proofs/scalars.ts'
import { opensSum, summable } from '../../core/learning/proofs/summed-opening.ts'
import type { Commitment, EncodedProof, ProofCall, ProofVerdict, ProveRequest, SumOpening } from './contract.ts'
import type { WasmEngine } from './wasm-engine.ts'

/** Proofs on this thread: what the worker runs. Errors as `Proofs` of the contract says. */
export class ProofService {
  readonly #engine: WasmEngine
  readonly #random: ByteSource

  constructor(engine: WasmEngine, random: ByteSource) {
    this.#engine = engine
    this.#random = random
  }

  commit(values: Int32Array): Commitment {
    const blinding = drawBlinding(this.#random)
    const commitment = commitUpdate(values, { blinding, engine: this.#engine })
    return { commitment, blinding: scalarsToBytes([blinding]), summable: summable(values, blinding) }
  }

  prove({ statement, values, blinding }: ProveRequest, onProgress: (share: number) => void): Uint8Array {
    const proof = proveNorm(statement, {
      values,
      blinding: readScalar(blinding),
      random: this.#random,
      engine: this.#engine,
      onProgress,
    })
    return encodeNormProof(proof)
  }

  verify(proofs: readonly EncodedProof[]): ProofVerdict[] {
    const decoded = proofs.map((each) => this.#decoded(each))
    const whole = decoded.filter((each) => each !== null)
    const bad = new Set<ProvedNorm | undefined>()
    for (let first = 0; first < whole.length; first += PROOF_BATCH_MAX) {
      const some = whole.slice(first, first + PROOF_BATCH_MAX)
      for (const at of findFalseProofs(some, { engine: this.#engine, random: this.#random })) bad.add(some[at])
    }
    return decoded.map((each) => (each === null ? 'malformed' : bad.has(each) ? 'false' : 'holds'))
  }

  opensSum({ commitments, sum }: SumOpening): boolean {
    return opensSum(commitments, sum, this.#engine)
  }

  call(call: ProofCall, onProgress: (share: number) => void): unknown {
    switch (call.method) {
      case 'commit':
        return this.commit(call.values)
      case 'prove':
        return this.prove(call.request, onProgress)
      case 'verify':
        return this.verify(call.proofs)
      case 'opensSum':
        return this.opensSum(call.opening)
    }
  }

  #decoded({ statement, proof }: EncodedProof): ProvedNorm | null {
    const { length, projections, commitment } = statement
    try {
      if (commitment.length !== 32 || !this.#engine.areElements(commitment)) return null
      return { statement, proof: decodeNormProof(proof, { length, projections, engine: this.#engine }) }
    } catch (error) {
      if (error instanceof InvalidProofError) return null
      throw error
    }
  }
}

/** @throws {@link InvalidProofError} When it is none. */
function readScalar(bytes: Uint8Array): bigint {
  const [scalar] = bytesToScalars(bytes)
  if (bytes.length === 32 && scalar !== undefined) return scalar
  throw new InvalidProofError(`A scalar has ${bytes.length} bytes, limit 32`, {
    field: 'blinding',
    value: bytes.length,
    limit: 32,
  })
}
