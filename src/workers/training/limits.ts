/** Time between two progress reports of a run: enough for a curve, and no flood. */
export const PROGRESS_MS = 100

/** Longest the loop runs before it lets messages in: pause and cancel are felt within this and one step. */
export const SLICE_MS = 30

/** Samples scored in one piece: bounds the memory of an evaluation. */
export const EVALUATION_BATCH = 256

/** Largest file that is read, bytes: the training images of MNIST are 45 MiB. */
export const FILE_BYTES_MAX = 256 * 1024 * 1024

/** Picture files of one dataset: each is decoded on its own, about a millisecond. */
export const PICTURE_FILES_MAX = 20_000

/** Bytes of one picture file: a camera's largest. */
export const PICTURE_BYTES_MAX = 32 * 1024 * 1024

/** Datasets in one worker: tasks that run at once, and a preview. */
export const DATASETS_MAX = 16

/** Runs that wait for the one under way. */
export const RUNS_WAITING_MAX = 32

/** Steps of one run: a round is tens to hundreds. */
export const STEPS_MAX = 100_000

/** Samples of one batch. */
export const BATCH_MAX = 4_096

/** Longest wait for the worker's first answer: it loads 100 KiB of script. */
export const START_TIMEOUT_MS = 20_000

/** Compiled steps and scorers kept, of each: the tasks that run at once. An evicted one is compiled again, about 0.3 s. */
export const COMPILED_MAX = 4

/** Learning rates above are a slip of the decimal point: every model here diverges long before. */
export const LEARNING_RATE_MAX = 100

/** FedProx μ above keeps a model from moving at all. */
export const PROXIMAL_MAX = 1_000
