/**
 * How a bundle is started to stay small; the images and the bench do so. A young generation of 16 MiB, V8's default,
 * fills with short-lived objects before it is collected, an old one that may double between two collections holds what
 * many agents and clients left when they came, and a heap for each thread keeps what its threads freed.
 */
export const nodeFlags: readonly string[] = ["--max-semi-space-size=1", "--heap-growing-percent=25"];

/** Of the C library; see mallopt(3). */
export const startEnv: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: "1" };
