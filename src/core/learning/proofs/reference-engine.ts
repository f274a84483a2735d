import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { concatBytes } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import { InvalidProofError } from './errors.ts'
import { type Element, type ElementList, type GroupEngine, generatorSeed, type Term } from './group-engine.ts'
import { ELEMENT_BYTES } from './proof-size.ts'
import { modulo } from './scalars.ts'

const Point = ristretto255.Point
type Point = InstanceType<typeof Point>

/**
 * {@link GroupEngine} by big integers, one product after the other: what the fast one must equal. For small proofs: a product takes a millisecond.
 */
export class ReferenceEngine implements GroupEngine {
  readonly #known = new Map<string, Point[]>()
  readonly #lists = new Map<string, PointList>()

  generators(name: string, count: number): ElementList {
    const list = this.#lists.get(`${name}/${count}`)
    if (list !== undefined) return list
    const known = this.#known.get(name) ?? []
    this.#known.set(name, known)
    for (let at = known.length; at < count; at++)
      known.push(ristretto255_hasher.deriveToCurve?.(generatorSeed(name, at)) as Point)
    const made = new PointList(known.slice(0, count))
    this.#lists.set(`${name}/${count}`, made)
    return made
  }

  encode(list: ElementList): Uint8Array {
    return concatBytes(...pointsOf(list).map((point) => point.toBytes()))
  }

  areElements(elements: Uint8Array): boolean {
    for (let at = 0; at < elements.length; at += ELEMENT_BYTES) {
      try {
        Point.fromBytes(elements.subarray(at, at + ELEMENT_BYTES))
      } catch {
        return false
      }
    }
    return true
  }

  sum(terms: readonly Term[]): Element {
    let total = Point.ZERO
    for (const term of terms) {
      if ('element' in term) total = total.add(times(toPoint(term.element), term.scalar))
      else {
        const points = pointsOf(term.list)
        term.scalars.forEach((scalar, at) => {
          total = total.add(times(points[term.from + at] as Point, scalar))
        })
      }
    }
    return total.toBytes()
  }

  fold(list: ElementList, factors: readonly bigint[]): ElementList {
    const points = pointsOf(list)
    const length = points.length / factors.length
    return new PointList(
      Array.from({ length }, (_, at) =>
        factors.reduce((sum, factor, part) => sum.add(times(points[at + part * length] as Point, factor)), Point.ZERO),
      ),
    )
  }
}

class PointList implements ElementList {
  readonly points: readonly Point[]

  constructor(points: readonly Point[]) {
    this.points = points
  }

  get length(): number {
    return this.points.length
  }
}

function pointsOf(list: ElementList): readonly Point[] {
  invariant(list instanceof PointList, 'a list stays with its engine')
  return list.points
}

function times(point: Point, scalar: bigint): Point {
  return scalar === 0n ? Point.ZERO : scalar === 1n ? point : point.multiplyUnsafe(modulo(scalar))
}

function toPoint(element: Element): Point {
  try {
    return Point.fromBytes(element)
  } catch (cause) {
    throw new InvalidProofError('A point is not in its one encoding', { field: 'point' }, { cause })
  }
}
