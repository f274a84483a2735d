/** The interface's own bounds; what they protect is the main thread and the reader. */

/** At most this often are new results fetched: 4 Hz looks live and costs little. */
export const RESULTS_REFRESH_MS = 250

/** Cells arrive as changes; the whole grid is read again at most this often, should one have been missed. */
export const GRID_RESYNC_MS = 2_000

/** Counts and figures at the top of a job: twice a second is as fast as one reads. */
export const SUMMARY_REFRESH_MS = 500

/** Figures of a job (throughput, executors, problems) change slower than cells do. */
export const DETAIL_REFRESH_MS = 1_000

/** Peers, metrics and diagnostics are asked for while their page is open and the tab is visible. */
export const PEERS_REFRESH_MS = 2_000
export const METRICS_REFRESH_MS = 2_000
export const DIAGNOSTICS_REFRESH_MS = 5_000

/** A node that says nothing for this long is asked again; it sends a snapshot about every second. */
export const SILENCE_MS = 8_000

/** Results fetched at once: 32 tiles of 64 × 64 pixels are half a mebibyte to copy. */
export const RESULTS_BATCH = 32

/** Longest side of a picture's canvas, pixels; every engine has at least this. */
export const PICTURE_SIDE_MAX = 8_192

/** The copy that works offline is some three megabytes in ninety files: before it is fetched, the node joins. */
export const OFFLINE_COPY_DELAY_MS = 5_000

/** Samples kept for each metric's plot: half an hour at one in two seconds. */
export const METRIC_SAMPLES_MAX = 900

/** Log lines drawn at once; export has all of them. */
export const LOG_LINES_MAX = 1_000

/** Units a person may make in the form at once; the node has its own limit. */
export const FORM_UNITS_MAX = 100_000

/** Characters of an output shown before it is cut, in a row and in the inspector. */
export const PREVIEW_CHARACTERS_MAX = 160
export const OUTPUT_CHARACTERS_MAX = 20_000

/** Pending toasts go by themselves after this long; errors stay until closed. */
export const TOAST_MS = 5_000

/** Trust moves by tasks, not by frames. */
export const TRUST_REFRESH_MS = 2_000
/** Steps of a peer's history in the list beside the plot. */
export const TRUST_POINTS_SHOWN_MAX = 50
/** Events on the page; the file that is saved has all that fit the filter. */
export const SECURITY_EVENTS_SHOWN_MAX = 300

/** Learning says a few times a second that it went on; twice a second is as fast as one reads. */
export const LEARNING_REFRESH_MS = 500
/** Should a word of it be missed, it is looked at again after this long. */
export const LEARNING_RESYNC_MS = 5_000
