import { StarlingError } from '../codec/errors.ts'

/** A policy is not what its founder signed, or not the one that the network's id was made from. */
export class BadPolicyError extends StarlingError {
  override readonly name = 'BadPolicyError'
}

/** A ticket of a kind that the policy of this network does not take. */
export class TicketKindError extends StarlingError {
  override readonly name = 'TicketKindError'
}

/** A ticket of an epoch that is over. */
export class StaleTicketError extends StarlingError {
  override readonly name = 'StaleTicketError'
}

/** A ticket of an epoch that has not begun. */
export class FutureTicketError extends StarlingError {
  override readonly name = 'FutureTicketError'
}

/** A proof of work with another memory, number of passes or difficulty than policy and beacon ask. Nothing was hashed. */
export class TicketParametersError extends StarlingError {
  override readonly name = 'TicketParametersError'
}

/** A proof came without the beacon of its epoch, or with one that the founder did not make. */
export class WrongBeaconError extends StarlingError {
  override readonly name = 'WrongBeaconError'
}

/**
 * The hash of a proof does not begin with enough zero bits. So end tickets that were made for another identity, network or beacon, as
 * these are all part of what is hashed.
 */
export class InsufficientWorkError extends StarlingError {
  override readonly name = 'InsufficientWorkError'
}

/** The signature of an invitation is not by the room's capability or the founder, or it names another identity, network or epoch. */
export class BadInvitationError extends StarlingError {
  override readonly name = 'BadInvitationError'
}

/** The identity is not listed in the policy and holds no invitation. */
export class NotAMemberError extends StarlingError {
  override readonly name = 'NotAMemberError'
}

/** Too many tickets at once, or too many bad ones of this peer: nothing was checked. */
export class AdmissionBusyError extends StarlingError {
  override readonly name = 'AdmissionBusyError'
}

/** Too many connections come from one subnet. */
export class SubnetFullError extends StarlingError {
  override readonly name = 'SubnetFullError'
}

/** A device does not show which identity it belongs to. */
export class NoCertificateError extends StarlingError {
  override readonly name = 'NoCertificateError'
}
