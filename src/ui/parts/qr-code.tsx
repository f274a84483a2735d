import { create } from 'qrcode'
import { memo, useMemo } from 'react'

/** Modules of white around the code; readers need four (ISO/IEC 18004). */
const QUIET_ZONE = 4

/** A QR code as one SVG path, dark on white in both themes so that cameras read it. */
export const QrCode = memo(function QrCode({ text, size = 132 }: { readonly text: string; readonly size?: number }) {
  const { path, side } = useMemo(() => draw(text), [text])
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${side} ${side}`}
      width={size}
      height={size}
      role="img"
      aria-label="QR code of the link"
    >
      <rect width={side} height={side} rx="2" fill="#ffffff" />
      <path d={path} fill="#101414" shapeRendering="crispEdges" />
    </svg>
  )
})

function draw(text: string): { readonly path: string; readonly side: number } {
  const { modules } = create(text, { errorCorrectionLevel: 'M' })
  let path = ''
  for (let y = 0; y < modules.size; y++) {
    for (let x = 0; x < modules.size; x++) {
      if (modules.get(y, x) !== 0) path += `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z`
    }
  }
  return { path, side: modules.size + 2 * QUIET_ZONE }
}
