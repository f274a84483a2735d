import { toPlainError } from '../sandbox/errors.ts'
import type { LabMessage, LabRequest } from './contract.ts'
import type { LabPlatform } from './platform.ts'
import { LabService } from './service.ts'

/** The worker's side, the same on every platform. */
export function serveLab(platform: LabPlatform, post: (message: LabMessage) => void): (request: LabRequest) => void {
  const service = new LabService(platform)
  return (request) => {
    if (request.type === 'stop') return service.stop()
    const { id, setting } = request
    service
      .run(setting, (reports) => post({ type: 'round', id, reports }))
      .then(() => post({ type: 'done', id }))
      .catch((error: unknown) => post({ type: 'failed', id, error: toPlainError(error) }))
  }
}
