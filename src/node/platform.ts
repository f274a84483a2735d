import type { PlatformFact } from './contract.ts'

interface BatteryManager extends EventTarget {
  readonly charging: boolean
  readonly level: number
}

interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean
  readonly type?: string
}

/** What browsers offer and TypeScript's library does not describe: both are absent in some engines. */
interface PlatformNavigator {
  getBattery?(): Promise<BatteryManager>
  readonly connection?: NetworkInformation
}

/**
 * Reports what only the window can see: battery, metered link, network loss, visibility. Each fact is told at once and on change;
 * one that the browser keeps to itself is never told.
 */
export function watchPlatform(tell: (fact: PlatformFact) => void): void {
  const { connection, getBattery } = navigator as PlatformNavigator
  const online = (): void => tell({ kind: 'online', online: navigator.onLine })
  const visible = (): void => tell({ kind: 'visible', visible: document.visibilityState === 'visible' })
  addEventListener('online', online)
  addEventListener('offline', online)
  document.addEventListener('visibilitychange', visible)
  online()
  visible()

  if (connection !== undefined) {
    const metered = (): void => {
      tell({ kind: 'metered', metered: connection.saveData === true || connection.type === 'cellular' })
    }
    connection.addEventListener('change', metered)
    metered()
  }

  void getBattery?.call(navigator).then((battery) => {
    const report = (): void => tell({ kind: 'battery', charging: battery.charging, level: battery.level })
    battery.addEventListener('chargingchange', report)
    battery.addEventListener('levelchange', report)
    report()
  })
}
