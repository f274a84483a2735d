import { createHost, type Host } from '../net/host.ts'
import { createIdentity } from '../net/identity.ts'

/** A real libp2p host of its own identity, which others in this process can dial without a relay. */
export async function loopbackHost(): Promise<Host> {
  return createHost({
    identity: await createIdentity(),
    environment: 'node',
    listen: ['/ip4/127.0.0.1/udp/0/webrtc-direct'],
    iceServers: [],
    agent: 'test',
  })
}
