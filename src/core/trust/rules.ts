import { divide, type Fixed, HALF, multiply, ONE, ofPpm } from './fixed.ts'
import { ATTESTED_SHARE_PPM, ATTESTER_CAP_PPM, SUBNET_CAP_PPM, TASKS_MIN } from './limits.ts'

/**
 * The decisions on which the promises of trust rest, apart from the machinery, so that the simulator can break one and show that its
 * targets notice.
 */
export interface TrustRules {
  /** [T15] What one attester's word weighs, by how far it is believed itself. */
  attesterWeight(credibility: Fixed): Fixed
  /** [T15] What the words from behind one address prefix weigh together. */
  subnetWeight(sum: Fixed): Fixed
  /** [T16] The part of the blended score that others' word has, by own tasks and by how much word there is. */
  attestedShare(tasks: number, confidence: Fixed): Fixed
  /** [T17] How far somebody is believed who was never dealt with, by the trust that flows to it. */
  strangerCredibility(flow: number, reference: number): Fixed
  /** [T22] Whether an accusation is held against somebody before anybody looked into it. */
  accusersConvict(weight: Fixed, accusers: number, accusersMin: number): boolean
}

const ATTESTER_CAP = ofPpm(ATTESTER_CAP_PPM)
const SUBNET_CAP = ofPpm(SUBNET_CAP_PPM)
const ATTESTED_SHARE = ofPpm(ATTESTED_SHARE_PPM)

export const TRUST_RULES: TrustRules = {
  attesterWeight: (credibility) => multiply(ATTESTER_CAP, credibility),
  subnetWeight: (sum) => Math.min(SUBNET_CAP, sum),
  attestedShare: (tasks, confidence) =>
    Math.floor((multiply(ATTESTED_SHARE, confidence) * TASKS_MIN) / Math.max(TASKS_MIN, tasks)),
  strangerCredibility: (flow, reference) =>
    // Half at most: who was dealt with counts for more than who is only spoken well of.
    reference <= 0 ? 0 : Math.min(HALF, divide(Math.min(flow, reference), reference) / 2),
  accusersConvict: (weight, accusers, accusersMin) => accusers >= accusersMin && weight >= (accusersMin * ONE) / 2,
}
