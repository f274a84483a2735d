import { RTCPeerConnection } from 'node-datachannel/polyfill'
import { afterEach, describe, expect, it } from 'vitest'
import { holdOfferedCandidates } from './offered-candidates.ts'

/** The WebRTC of Node itself, on loopback. */
describe('candidates of an offerer in Node', () => {
  const open: RTCPeerConnection[] = []
  afterEach(() => {
    for (const connection of open.splice(0)) connection.close()
  })

  function connection(): { readonly pc: RTCPeerConnection; readonly candidates: RTCIceCandidate[] } {
    const pc = new RTCPeerConnection({ iceServers: [] })
    open.push(pc)
    const candidates: RTCIceCandidate[] = []
    pc.onicecandidate = ({ candidate }) => {
      if (candidate) candidates.push(candidate)
    }
    return { pc, candidates }
  }

  /** Makes an offer and waits for all there is to say with it. */
  async function offer() {
    const made = connection()
    const channel = made.pc.createDataChannel('init')
    const sdp = await made.pc.createOffer()
    await expect.poll(() => made.pc.iceGatheringState).toBe('complete')
    return { ...made, channel, sdp }
  }

  it('reach the answerer before the offerer has its answer, as released', async () => {
    const { candidates } = await offer()
    await expect.poll(() => candidates.length).toBeGreaterThan(0)
  })

  it('wait for the answer, and all come then', async () => {
    const release = holdOfferedCandidates(RTCPeerConnection)
    try {
      const offerer = await offer()
      const answerer = connection()
      await answerer.pc.setRemoteDescription(offerer.sdp)
      const answer = await answerer.pc.createAnswer()
      await expect.poll(() => answerer.candidates.length).toBeGreaterThan(0)
      expect(offerer.candidates).toEqual([])
      await offerer.pc.setRemoteDescription(answer)
      expect(offerer.candidates.length).toBe(offerer.pc.ext_localCandidates.length)
      for (const candidate of offerer.candidates) await answerer.pc.addIceCandidate(candidate)
      for (const candidate of answerer.candidates) await offerer.pc.addIceCandidate(candidate)
      await expect.poll(() => offerer.channel.readyState, { timeout: 10_000 }).toBe('open')
    } finally {
      release()
    }
  })
})
