/** A job of 2,000 units on the open page: how busy the main thread is, and whether the page answers meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { measureJobPage } from './support/long-tasks.ts'
import { UiRoom } from './support/ui-room.ts'

/** Of the time the job runs. */
const BUSY_SHARE_MAX = 0.1
const UNITS = 2_000

let room: UiRoom

beforeAll(async () => {
  room = await UiRoom.open()
  await room.lenders(2)
})
afterAll(() => room.close())

describe('main thread', () => {
  it(`is busy less than ${BUSY_SHARE_MAX * 100} % of a job of ${UNITS} units`, async () => {
    const figures = await measureJobPage(room, UNITS)
    console.log(JSON.stringify({ test: 'ui.longtask', ...figures }))
    expect(figures.accepted).toBe(UNITS)
    // CPU time: how long tasks took by the wall also counts the time in which other programs had the core; that is printed.
    expect(figures.busyShare).toBeLessThan(BUSY_SHARE_MAX)
  })
})
