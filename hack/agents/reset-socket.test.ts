import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { resetSocket } from "./reset-socket.ts";

/** A connection whose peer does not end it of itself. */
async function connected(): Promise<{ socket: Socket; peer: Socket; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
  const [[peer]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [[Socket], unknown];
  return {
    socket,
    peer,
    async [Symbol.asyncDispose]() {
      peer.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** How the peer hears of the end. */
function endOf(peer: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  peer.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
  peer.on("end", () => resolve("FIN"));
  peer.resume();
  return promise;
}

describe("resetSocket()", () => {
  const cases: Record<string, { before: (socket: Socket) => void; end: string }> = {
    "resets a connection": { before: () => {}, end: "ECONNRESET" },
    "ends one that is ending, and leaves no handle behind": {
      before: (socket) => void socket.end("last words"),
      end: "FIN",
    },
  };
  for (const [sentence, { before, end }] of Object.entries(cases)) {
    it(sentence, async () => {
      await using pair = await connected();
      const ended = endOf(pair.peer);
      before(pair.socket);
      resetSocket(pair.socket);
      await once(pair.socket, "close");
      assert.equal(await ended, end);
    });
  }

  it("resets one that has ended its own side", async () => {
    await using pair = await connected();
    pair.socket.end();
    await once(pair.socket, "finish");
    resetSocket(pair.socket);
    await once(pair.socket, "close");
  });
});
