import { capabilityText, inviteLink, inviteOf } from '../node/capability.ts'
import { readCapabilityFile } from '../relay/founding.ts'
import { defaultDataDir } from './commands/context.ts'

const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/

/**
 * Where a relay is asked for by its plain address on this machine, its owner's own commands enter with the capability in its folder:
 * whoever may read that file could have the link. If it is the capability of another room, it is not used.
 */
export function withOwnInvite(relay: string): string {
  if (inviteOf(relay) !== null || !LOOPBACK.test(new URL(relay).hostname)) return relay
  try {
    const capability = readCapabilityFile(defaultDataDir('relay'))
    return capability === null ? relay : inviteLink(relay, capabilityText(capability))
  } catch {
    // Somebody else's folder, or none.
    return relay
  }
}
