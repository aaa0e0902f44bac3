import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Goaway, PrefixFault } from "./frames.ts";
import { breakPrefix, carriesResponse, goawayCodes, goawayFrame, PingScanner } from "./frames.ts";
import { agentPingPolicy, PingPolice } from "./ping-police.ts";
import { resetSocket } from "./reset-socket.ts";

type Done = (error?: Error | null) => void;

/**
 * Stands between a TCP connection and grpc-js (which takes any Duplex as a connection), so that faults happen below the
 * gRPC library and need nothing of its inner life. Costs a few microseconds an event; a proxy would cost two more
 * sockets a connection.
 *
 * Invariant: what Node's HTTP/2 writes at once is a run of whole frames, so bytes put between two writes stand between
 * two frames.
 */
export class Wire extends Duplex {
  readonly #socket: Socket;
  readonly #scanner = new PingScanner();
  readonly #police = new PingPolice(agentPingPolicy);
  readonly #now: () => number;
  #frozen = false;
  #held: { readonly bytes: Buffer; readonly done: Done } | undefined;
  #prefixFault: PrefixFault | undefined;
  #pings = 0;

  /** `now`: monotonic milliseconds. */
  constructor(socket: Socket, now: () => number) {
    super({ decodeStrings: true });
    this.#socket = socket;
    this.#now = now;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.push(null));
    // A peer that resets is an ordinary end of a connection.
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  /** PINGs the client sent of its own. */
  get pings(): number {
    return this.#pings;
  }

  /**
   * From now on nothing is read and nothing is written, as if the process were stopped. The server above gives up on its
   * silent peer after a while; that too waits behind the write that is held, so the connection stands until `thaw()`.
   */
  freeze(): void {
    this.#frozen = true;
    this.#socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#send(held.bytes, held.done);
    this.#socket.resume();
  }

  /** TCP RST. */
  reset(): void {
    resetSocket(this.#socket);
  }

  /** Ends the connection as a process that exits does. */
  cut(): void {
    this.#socket.destroy();
  }

  goaway(goaway: Goaway): void {
    this.inject(goawayFrame(goaway));
  }

  /** Bytes between two frames of the server. */
  inject(bytes: Buffer): void {
    if (!this.#frozen && this.#socket.writable) this.#socket.write(bytes);
  }

  /** The next event to go out has a broken gRPC prefix. */
  breakNextPrefix(fault: PrefixFault): void {
    this.#prefixFault = fault;
  }

  override _read(): void {
    if (!this.#frozen) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    // One write of one buffer: cheaper than a vector of many small ones, and frames stay together.
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: Done): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy();
    done(error);
  }

  #received(chunk: Buffer): void {
    const pings = this.#scanner.scan(chunk);
    this.#pings += pings;
    for (let count = 0; count < pings; count += 1) {
      if (!this.#police.ping(this.#now())) continue;
      this.goaway({ code: goawayCodes.enhanceYourCalm, debug: "too_many_pings" });
      this.#socket.destroySoon();
      return;
    }
    if (!this.push(chunk)) this.#socket.pause();
  }

  #send(bytes: Buffer, done: Done): void {
    if (this.#frozen) {
      this.#held = { bytes, done };
      return;
    }
    let frames = bytes;
    if (this.#prefixFault !== undefined) {
      const broken = breakPrefix(bytes, this.#prefixFault);
      if (broken !== undefined) {
        frames = broken;
        this.#prefixFault = undefined;
      }
    }
    if (carriesResponse(frames)) this.#police.answered();
    this.#socket.write(frames, done);
  }
}
