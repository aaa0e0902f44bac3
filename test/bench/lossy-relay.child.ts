/**
 * A relay that is wrong on purpose, to see that the bench finds out: of each subscriber's events it drops every 50th, repeats
 * every 70th and swaps every 90th with the one after. It owns up to half of its drops.
 */
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";

const flags = new Map(process.argv.slice(2).map((arg) => arg.replace(/^-+/u, "").split("=", 2) as [string, string]));
const subscribers = new Set<(event: Buffer) => void>();
let dropped = 0;

function subscriber(stream: ServerHttp2Stream): (event: Buffer) => void {
  let seen = 0;
  let held: Buffer | undefined;
  const release = () => {
    if (held !== undefined) stream.write(held);
    held = undefined;
  };
  return (event) => {
    seen += 1;
    if (seen % 50 === 0) {
      dropped += 1;
    } else if (seen % 90 === 0) {
      held = event;
      // The last event has none after it.
      setTimeout(release, 50);
    } else {
      stream.write(event);
      if (seen % 70 === 0) stream.write(event);
      release();
    }
  };
}

const server = createServer();
server.on("stream", (stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" });
  const deliver = subscriber(stream);
  subscribers.add(deliver);
  stream.on("error", () => stream.close()).on("close", () => subscribers.delete(deliver));
});
server.listen(Number(flags.get("gRPCPort")));
createHttpServer((_request, response) => {
  const owned = Math.floor(dropped / 2);
  response.end(`kubearmor_relay_subscriber_events_total{feed="alerts",outcome="overflowed"} ${owned}\n`);
}).listen(Number(flags.get("httpPort")));

for (const agent of flags.get("agents")?.split(",") ?? []) {
  const stream = connect(`http://${agent}`).request({
    ":method": "POST",
    ":path": "/feeder.LogService/WatchAlerts",
    "content-type": "application/grpc",
    te: "trailers",
  });
  // Field 1, the filter.
  stream.end(Buffer.from("\0\0\0\0\x08\x0a\x06policy", "latin1"));
  let rest = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      for (const deliver of subscribers) deliver(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}
process.once("SIGTERM", () => process.exit());
