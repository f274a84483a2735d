import { readFile } from 'node:fs/promises'
import { loadKernel } from '../aggregation/load.node.ts'
import type { LabPlatform } from './platform.ts'

export const nodePlatform: LabPlatform = {
  digits: () => readFile(new URL('../training/data/digits.bin', import.meta.url)),
  kernel: loadKernel,
}
