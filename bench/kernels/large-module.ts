/** Makes a large module of real code by repeating a module's function bodies. */
import { ModuleReader } from '../../src/core/sandbox/reader.ts'
import { ModuleWriter } from '../../src/core/sandbox/writer.ts'

const FUNCTION_SECTION = 3
const CODE_SECTION = 10

/**
 * @param bytes - A valid module.
 * @param bytesMin - The result is at least about this long.
 * @returns The module with its functions repeated: the copies call the originals, so everything stays valid.
 */
export function largeModule(bytes: Uint8Array, bytesMin: number): Uint8Array<ArrayBuffer> {
  const copies = Math.ceil(bytesMin / bytes.length)
  const out = new ModuleWriter(bytes.length * (copies + 1))
  out.copy(bytes, 0, 8)
  const reader = new ModuleReader(bytes, 8)
  while (reader.at < bytes.length) {
    const id = reader.u8('section id')
    const end = reader.u32('section size') + reader.at
    const body = new ModuleWriter()
    if (id === FUNCTION_SECTION || id === CODE_SECTION) {
      body.u32(reader.u32('functions') * copies)
      for (let copy = 0; copy < copies; copy++) body.copy(bytes, reader.at, end)
    } else {
      body.copy(bytes, reader.at, end)
    }
    out.section(id, body)
    reader.at = end
  }
  return out.bytes.slice(0, out.length)
}
