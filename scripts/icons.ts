// Draws the PNG icons of public/ from public/mark.svg with headless Chromium: `node scripts/icons.ts`.
import { readFileSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const PUBLIC = new URL('../public/', import.meta.url)
const mark = readFileSync(new URL('mark.svg', PUBLIC), 'utf8')

/** Maskable icons may be cut to a circle of 80 % (W3C manifest, icon masks), so the mark is drawn smaller on its own colour. */
const ICONS = [
  { file: 'icon-180.png', side: 180, scale: 1, ground: '#0b6e66' },
  { file: 'icon-192.png', side: 192, scale: 1, ground: 'transparent' },
  { file: 'icon-512.png', side: 512, scale: 1, ground: 'transparent' },
  { file: 'icon-maskable-512.png', side: 512, scale: 0.8, ground: '#0b6e66' },
]

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
try {
  for (const { file, side, scale, ground } of ICONS) {
    const page = await browser.newPage({ viewport: { width: side, height: side } })
    const inner = Math.round(side * scale)
    await page.setContent(
      `<style>html,body{margin:0;height:100%;background:${ground}}body{display:grid;place-items:center}svg{width:${inner}px;height:${inner}px}</style>${mark}`,
    )
    writeFileSync(new URL(file, PUBLIC), await page.screenshot({ omitBackground: true }))
    await page.close()
  }
} finally {
  await browser.close()
}
