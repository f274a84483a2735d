import { useEffect } from 'react'

/**
 * Stands in for the package `react-style-singleton`, with which Radix locks the page's scroll under a dialog: the original writes
 * a `<style>` element, which the page's strict Content-Security-Policy refuses. A constructed style sheet is allowed.
 *
 * @returns A component that keeps `styles` in force while at least one of it is mounted.
 */
export function styleSingleton(): (props: { readonly styles: string }) => null {
  const sheet = new CSSStyleSheet()
  let users = 0
  // The package's own contract: called once at module level by those who use it.
  // biome-ignore lint/correctness/noComponentHookFactories: see above
  return function Styles({ styles }) {
    useEffect(() => {
      users += 1
      if (users === 1) {
        sheet.replaceSync(styles)
        document.adoptedStyleSheets.push(sheet)
      }
      return () => {
        users -= 1
        if (users === 0) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet)
      }
    }, [styles])
    return null
  }
}
