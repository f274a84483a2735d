/** Longest path a call accepts and longest path a file of the outcome may have, bytes. As Linux's PATH_MAX. */
export const PATH_BYTES_MAX = 4096

/** Longest name of one directory entry, bytes. As Linux's NAME_MAX. */
export const NAME_BYTES_MAX = 255

/** Symbolic links followed in one lookup before ELOOP. As Linux's MAXSYMLINKS; bounds the work of one call. */
export const SYMLINKS_FOLLOWED_MAX = 40

/** Open descriptors, preopens and standard streams among them. As the usual soft limit of a Unix process. */
export const DESCRIPTORS_MAX = 1024

/** Buffers of one scatter or gather call. As Linux's IOV_MAX. */
export const IOVECS_MAX = 1024

/** Names of one file. Keeps the link count far from any overflow; ext4 has 65,000. */
export const LINKS_MAX = 65_000

/** Size of one file, bytes. Guest memory has 4 GiB, so nothing larger could be read back in one piece. */
export const FILE_BYTES_MAX = 2 ** 32 - 1

/** Smallest buffer a growing file or stream gets, bytes; it doubles from there. */
export const GROWTH_BYTES_MIN = 256

/** Subscriptions of one `poll_oneoff`: more than every descriptor waited for both ways. Bounds what one call allocates. */
export const SUBSCRIPTIONS_MAX = 4096
