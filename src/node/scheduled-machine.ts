/** A protocol core as its driver sees it: events in, effects out, nothing else. */
export interface ScheduledMachine<Event, Effect> {
  step(event: Event): readonly Effect[]
}
