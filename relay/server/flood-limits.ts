import type { Rate } from "../../lib/process/token-bucket.ts";

/**
 * Streams that ended by a reset, of either side: a client can make the server reset them, too (CVE-2023-44487 and
 * CVE-2025-8671). Every subscriber of a connection may cancel and come back a few times over.
 */
export const resetLimit: Rate = { burst: 500, perSecond: 50 };
/** Some clients follow the bandwidth with their window and say so in SETTINGS, a few times in a connection's first second. */
export const settingsLimit: Rate = { burst: 100, perSecond: 10 };
/**
 * Bytes beyond those that answer what the client was sent (see `receivedShare`): requests, and frames of no use such as
 * WINDOW_UPDATE and PRIORITY, which nothing else counts. Four requests of the largest size at once.
 */
export const receivedLimit: Rate = { burst: 16 * 1024 * 1024, perSecond: 1024 * 1024 };
/** Of every byte sent: two window updates of 13 bytes for as little as 208 bytes. */
export const receivedShare = 1 / 8;
