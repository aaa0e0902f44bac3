import type { AddressInfo, Server } from "node:net";
import { errorText, type Log } from "../../lib/process/log.ts";

/**
 * Listens on every address of both families and resolves with the port; 0 takes a free one. Later failures, such as a
 * connection that cannot be accepted for want of file descriptors, are logged: the server goes on.
 */
export async function listen(server: Server, port: number, log: Log): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error) => reject(new Error(`Cannot listen for gRPC on port ${port}`, { cause }));
    server.once("error", fail);
    // Without an address Node takes "::" for both families, and "0.0.0.0" where there is no IPv6.
    server.listen({ port }, () => {
      server.off("error", fail);
      resolve();
    });
  });
  server.on("error", (error) => log.warn("gRPC server failed, and goes on", { error: errorText(error) }));
  return (server.address() as AddressInfo).port;
}
