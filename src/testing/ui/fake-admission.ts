import type { AdmissionApi, AdmissionInfo, MiningInfo } from '../../node/admission-contract.ts'

/** Admission of made-up figures: a room that let this peer in, or an open network that asks for work. */
export class FakeAdmission implements AdmissionApi {
  readonly #open: boolean
  #mining: MiningInfo['state'] | null = null

  constructor(open: boolean) {
    this.#open = open
  }

  info(): AdmissionInfo {
    const mining = this.#mining === null ? null : miningInfo(this.#mining)
    const open: Partial<AdmissionInfo> = {
      state: mining === null ? 'guest' : 'mining',
      means: null,
      reason: { code: 'needs-work' },
      expiresAt: null,
    }
    return {
      policy: {
        kind: this.#open ? 'open' : 'room',
        name: 'a room',
        founder: '12D3KooWFakeFounder',
        createdAt: 0,
        quotas: this.#open,
        subnetLimits: this.#open,
        work: { difficultyBitsMin: 16, difficultyBitsMax: 24, memoryKibibytes: 2_048 },
      },
      state: 'admitted',
      means: 'invite',
      reason: null,
      mining,
      expiresAt: 7_200_000,
      ...(this.#open && open),
    }
  }

  async admission(): Promise<AdmissionInfo> {
    return this.info()
  }

  async startMining(): Promise<void> {
    this.#mining = 'running'
  }

  async pauseMining(): Promise<void> {
    this.#mining = 'paused'
  }

  async useInvite(): Promise<AdmissionInfo> {
    return this.info()
  }
}

function miningInfo(state: MiningInfo['state']): MiningInfo {
  const running = state === 'running'
  return {
    state,
    workers: 2,
    difficultyBits: 16,
    memoryKibibytes: 2_048,
    epoch: 1,
    hashes: 21_400,
    hashesExpected: 65_536,
    hashesPerSecond: running ? 1_400 : 0,
    etaMs: running ? 46_800 : null,
    elapsedMs: 15_300,
  }
}
