import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";

interface Nonce {
  readonly nonce?: number;
}

interface Reply {
  readonly Retval?: number;
}

/** `feeder.LogService` without its streams: those are served from `routes`. Clients give up on another nonce. */
export function logServiceHandlers(): UntypedServiceImplementation {
  return {
    HealthCheck: ({ request }: ServerUnaryCall<Nonce, Reply>, reply: sendUnaryData<Reply>) => {
      // As Go does, zero is not written.
      reply(null, request.nonce === undefined || request.nonce === 0 ? {} : { Retval: request.nonce });
    },
  };
}
