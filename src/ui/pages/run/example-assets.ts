/** Where the build put modules and files of the examples, by their path below `examples/`. */
const URLS = import.meta.glob('../../../../examples/*/*.{wasm,txt,obj}', {
  query: '?url',
  import: 'default',
  eager: true,
}) as Record<string, string>

const PREFIX = '../../../../examples/'

/** Fetches a module or file of an example. */
export async function loadExampleAsset(path: string): Promise<Uint8Array> {
  const url = URLS[PREFIX + path]
  if (url === undefined) throw new Error(`The example file ${path} is not part of this build`)
  const response = await fetch(url)
  if (!response.ok) throw new Error(`The example file ${path} could not be fetched: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}
