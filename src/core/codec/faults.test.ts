import { describe, expect, it } from 'vitest'
import { InvalidMessageError } from './errors.ts'
import { type Fault, refuseFaults } from './faults.ts'

function refusedFor(...faults: Fault[]): InvalidMessageError {
  try {
    refuseFaults('task', faults)
  } catch (error) {
    if (error instanceof InvalidMessageError) return error
  }
  throw new Error('Nothing was refused')
}

describe('refuseFaults', () => {
  it('lets a message without faults pass', () => {
    expect(() => refuseFaults('task', [])).not.toThrow()
  })

  it('names field, value and limit of the first fault, and asks for no other', () => {
    function* faults(): Generator<Fault> {
      yield { field: 'size', value: 3n, limit: 2 }
      throw new Error('asked for the second')
    }
    expect(() => refuseFaults('task', faults())).toThrow('task.size is 3, limit 2')
    expect(refusedFor({ field: 'size', value: 3n, limit: 2 }).details).toEqual({
      field: 'task.size',
      value: 3n,
      limit: 2,
    })
  })

  it('shows the beginning of a long string', () => {
    const { message, details } = refusedFor({ field: 'name', value: 'x'.repeat(5_000), limit: 'short' })
    expect(message).toBe(`task.name is ${'x'.repeat(120)}, limit short`)
    expect(details['value']).toBe('x'.repeat(120))
  })
})
