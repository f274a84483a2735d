// Takes the pictures of docs/images from a real room: `npm run build && node scripts/pictures.ts`.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nodeIsUp, peersAre, SIZES, UiRoom } from '../e2e/support/ui-room.ts'
import { until } from '../e2e/support/until.ts'

const LENDERS = 4
const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url))
/** The job's picture is taken when it is this far. */
const SHOWN_SHARE = 0.6

mkdirSync(FOLDER, { recursive: true })
const room = await UiRoom.open()
try {
  const lenders = await room.lenders(LENDERS)
  const giver = await room.page('/run/mandelbrot', { colorScheme: 'light' })
  await nodeIsUp(giver)
  await peersAre(giver, LENDERS)
  await giver.evaluate(() => globalThis.starling?.setLending({ optedIn: true, workers: 1 }))
  await giver.getByRole('textbox', { name: 'Tile' }).fill('32')
  await giver.getByText('768 units').waitFor()
  await giver.getByRole('button', { name: 'Run the job' }).click()
  await giver.waitForURL(/\/jobs\/\w+/)
  const share = (): Promise<number> =>
    giver.evaluate(async () => {
      const counts = (await globalThis.starling?.snapshot())?.jobs[0]?.counts
      return counts === undefined ? 0 : counts.accepted / counts.units
    })
  await until('most of the picture', async () => (await share()) > SHOWN_SHARE, 240_000)
  await giver.screenshot({ path: `${FOLDER}job.png` })
  const [lender] = lenders
  await lender?.emulateMedia({ colorScheme: 'dark' })
  // Colours change over a moment.
  await lender?.waitForTimeout(500)
  await lender?.screenshot({ path: `${FOLDER}home.png` })
  await lender?.setViewportSize(SIZES.phone)
  await lender?.waitForTimeout(500)
  await lender?.screenshot({ path: `${FOLDER}phone.png` })
} finally {
  await room.close()
}
