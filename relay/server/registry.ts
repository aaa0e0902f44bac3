import type { IncomingHttpHeaders } from "node:http2";
import type { ServerMethodDefinition, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Call, CallDeps } from "./call.ts";
import { decode, HandlerCall } from "./handler-call.ts";
import { readMessage } from "./request.ts";
import { Code } from "./status.ts";

interface Method {
  readonly definition: ServerMethodDefinition<unknown, unknown>;
  readonly run: Handler;
}

type Reply = (error: unknown, value?: unknown, trailers?: unknown) => void;
type Handler = (call: HandlerCall, reply: Reply) => void;

/**
 * Services given as for a grpc-js server (`addService`), so that the official health and reflection packages and anything
 * else made for it can be served beside the methods that are written against `node:http2`.
 */
export class Registry {
  readonly #deps: CallDeps;
  readonly #methods = new Map<string, Method>();
  readonly #services = new Set<string>();

  constructor(deps: CallDeps) {
    this.#deps = deps;
  }

  /** Methods without a handler stay unimplemented. */
  addService(service: ServiceDefinition, handlers: UntypedServiceImplementation): void {
    for (const [name, definition] of Object.entries(service)) {
      this.#services.add(serviceOf(definition.path));
      const handler = handlers[name] ?? handlers[definition.originalName ?? ""];
      if (handler === undefined) continue;
      // HandlerCall has what all four kinds of grpc-js handlers get, except the recorder of ORCA load reports.
      const run = handler.bind(handlers) as unknown as Handler;
      this.#methods.set(definition.path, { definition, run });
    }
  }

  /** Serves a call to a method of a registered service, or ends it with UNIMPLEMENTED. */
  serve(call: Call, headers: IncomingHttpHeaders): void {
    const method = this.#methods.get(call.path);
    if (method === undefined) {
      call.end({ code: Code.UNIMPLEMENTED, message: unknownMethod(call.path, this.#services) });
      return;
    }
    void this.#run(new HandlerCall(call, headers, method.definition, this.#deps), call, method);
  }

  async #run(handled: HandlerCall, call: Call, { definition, run }: Method): Promise<void> {
    try {
      if (definition.requestStream) handled.readRequests();
      else handled.request = decode(definition, await readMessage(call, this.#deps));
      run(handled, (error, value, trailers) => handled.reply(error, value, trailers));
    } catch (error) {
      handled.fail(error);
    }
  }
}

/** Why a path is not served, in the words of grpc-go. */
export function unknownMethod(path: string, services: ReadonlySet<string>): string {
  const slash = path.lastIndexOf("/");
  if (!path.startsWith("/") || slash < 1) return `malformed method name: ${JSON.stringify(path)}`;
  const service = serviceOf(path);
  return services.has(service)
    ? `unknown method ${path.slice(slash + 1)} for service ${service}`
    : `unknown service ${service}`;
}

function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}
