/** What this engine can tell about the device; a switch that would do nothing says so. */
export const PLATFORM_SUPPORT = {
  battery: 'getBattery' in navigator,
  metered: 'connection' in navigator,
} as const
