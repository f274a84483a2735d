import { loadKernel } from '../aggregation/load.ts'
import { LabUnavailableError } from './errors.ts'
import type { LabPlatform } from './platform.ts'

/** The bundler finds the digits by the expression in which they are named. */
export const browserPlatform: LabPlatform = {
  async digits() {
    const response = await fetch(new URL('../training/data/digits.bin', import.meta.url)).catch((cause: unknown) => {
      throw new LabUnavailableError(
        'The digits are not on this device yet, and there is no connection to load them',
        {},
        { cause },
      )
    })
    if (!response.ok)
      throw new LabUnavailableError(`The digits could not be loaded: status ${response.status}`, {
        value: response.status,
      })
    return new Uint8Array(await response.arrayBuffer())
  },
  kernel: loadKernel,
}
