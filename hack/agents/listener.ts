import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { Wire } from "./wire.ts";

export interface ListenerOptions {
  readonly address: string;
  /** 0 takes a free one, and the same again after a restart. */
  readonly port: number;
}

export interface ListenerDeps {
  /** Takes a new connection. */
  readonly accept: (wire: Wire) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** A listening TCP port whose connections can misbehave. */
export class Listener {
  readonly #address: string;
  readonly #deps: ListenerDeps;
  readonly #wires = new Set<Wire>();
  #server: Server | undefined;
  #port: number;
  #frozen = false;
  #pings = 0;

  constructor(options: ListenerOptions, deps: ListenerDeps) {
    this.#address = options.address;
    this.#port = options.port;
    this.#deps = deps;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open. */
  get wires(): ReadonlySet<Wire> {
    return this.#wires;
  }

  /** PINGs that clients sent of their own. */
  get pings(): number {
    let pings = this.#pings;
    for (const wire of this.#wires) pings += wire.pings;
    return pings;
  }

  async open(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      const wire = new Wire(socket, this.#deps.now);
      this.#wires.add(wire);
      socket.once("close", () => {
        this.#wires.delete(wire);
        this.#pings += wire.pings;
      });
      if (this.#frozen) wire.freeze();
      this.#deps.accept(wire);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => {
        reject(new Error(`Cannot listen as an agent on ${this.#address} port ${this.#port}`, { cause }));
      });
      server.listen({ host: this.#address, port: this.#port }, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  freeze(): void {
    this.#frozen = true;
    for (const wire of this.#wires) wire.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    for (const wire of this.#wires) wire.thaw();
  }

  /** Refuses connections from now on and ends those there are. Resolves when the port is free. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#frozen = false;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const wire of this.#wires) wire.cut();
    await closed;
  }
}
