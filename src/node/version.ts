/** Of this build; the same as package.json's, held so by a test. */
export const VERSION = '0.1.0'
