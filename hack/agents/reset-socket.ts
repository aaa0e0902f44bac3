import type { Socket } from "node:net";

/**
 * Ends a connection by RST, or by FIN while its own FIN is under way: libuv refuses a reset then (EINVAL) and leaves the
 * handle open for ever, at the end of the process in a loop without end.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
