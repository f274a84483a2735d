import type { JobSpec } from '../../../node/contract.ts'
import type { JobOrigin } from '../../state/job-origins.ts'

/** A job as far as the form knows it: everything but the options. */
export interface Draft {
  readonly spec: Omit<JobSpec, 'options'>
  readonly origin: JobOrigin | null
  readonly caption: string
}

/** A draft, or what is still missing or wrong. */
export type DraftState = { readonly draft: Draft } | { readonly draft: null; readonly why: string }
