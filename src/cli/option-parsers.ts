import { InvalidArgumentError } from 'commander'

/** Parsers of option values; what they throw, commander prints with the option's name and ends with the code of wrong use. */

export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Wanted a whole number from ${min} to ${max}.`)
    return value
  }
}

export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !(value >= min && value <= max))
      throw new InvalidArgumentError(`Wanted a number from ${min} to ${max}.`)
    return value
  }
}

export function bigWhole(max: bigint): (text: string) => bigint {
  return (text) => {
    if (!/^\d{1,30}$/.test(text) || BigInt(text) > max)
      throw new InvalidArgumentError(`Wanted a whole number up to ${max}.`)
    return BigInt(text)
  }
}

/** `512KiB`, `64MiB`, `1GiB`, or bytes. */
export function bytes(max: number): (text: string) => number {
  return (text) => {
    const [, number = '', unit = ''] = /^(\d+)(|KiB|MiB|GiB)$/.exec(text) ?? []
    const value = Number(number) * 1024 ** ['', 'KiB', 'MiB', 'GiB'].indexOf(unit)
    if (number === '' || value < 1 || value > max)
      throw new InvalidArgumentError(`Wanted a size such as 64MiB, at most ${max} bytes.`)
    return value
  }
}

export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError('Wanted a URL such as http://localhost:4000.')
  return url.href
}

export function collect(text: string, before: string[]): string[] {
  return [...before, text]
}
