import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { ClientConnection } from "./client-connection.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeFields } from "./hpack-encoder.ts";
import { decodeHuffman } from "./hpack-huffman.ts";
import type { Field } from "./hpack-static-table.ts";
import { scriptedOptions } from "./scripted-peer.ts";

const limit = { timeout: 60_000 };

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

function newDecoder(maxListBytes = 65_536): HpackDecoder {
  return new HpackDecoder({ maxListBytes });
}

const requests: readonly (readonly Field[])[] = [
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
  ],
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "www.example.com"],
    ["cache-control", "no-cache"],
  ],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ],
];
const date = "Mon, 21 Oct 2013 20:13:21 GMT";
const responses: readonly (readonly Field[])[] = [
  [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", date],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", date],
    ["location", "https://www.example.com"],
  ],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];
// The examples of responses are for a table of 256 bytes, which makes them evict.
const tableOf256 = "3fe101";

/** https://www.rfc-editor.org/rfc/rfc7541#appendix-C */
const examples: Record<string, { blocks: readonly string[]; fields: readonly (readonly Field[])[] }> = {
  "C.3 requests": {
    blocks: [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ],
    fields: requests,
  },
  "C.4 requests with Huffman codes": {
    blocks: [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ],
    fields: requests,
  },
  "C.5 responses": {
    blocks: [
      `${tableOf256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ],
    fields: responses,
  },
  "C.6 responses with Huffman codes": {
    blocks: [
      `${tableOf256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ],
    fields: responses,
  },
};
for (const [name, { blocks, fields }] of Object.entries(examples)) {
  test(`HpackDecoder.decode() reads the RFC's example ${name}`, () => {
    const decoder = newDecoder();
    for (const [index, block] of blocks.entries()) assert.deepEqual(decoder.decode(hex(block)), fields[index]);
  });
}

const malformed: Record<string, string> = {
  "index 0": "80",
  "an index behind both tables": "be",
  "a literal whose name has no entry": "7f10 0161",
  "an integer without an end": "ff80 8080",
  "a block that ends inside an integer": "ff",
  "a text longer than the block": "000a 61",
  "a table larger than allowed": "3fe2 1f",
  "a change of the table behind a field": "8220",
  "a Huffman code that is the end of string": "0084 ffff ffff 00",
  "Huffman padding of zeros": "0081 0000",
  "Huffman padding of a whole byte": "0082 f8ff 00",
  "Huffman padding of more than a byte": "0082 1fff 00",
};
for (const [sentence, block] of Object.entries(malformed)) {
  test(`HpackDecoder.decode() refuses ${sentence}`, () => {
    assert.throws(() => newDecoder().decode(hex(block)), { name: "ConnectionError", code: 9 });
  });
}

test("HpackDecoder.decode() gives no list above its bound, and reads what refers to it all the same", () => {
  const decoder = newDecoder(100);
  // An entry of 2 + 50 + 32 bytes enters the table: once it is within the bound, twice it is not.
  const value = "v".repeat(50);
  const add = Buffer.concat([hex("40 026162 32"), Buffer.from(value)]);
  assert.equal(decoder.decode(Buffer.concat([add, Buffer.of(0xbe)])), undefined);
  assert.deepEqual(decoder.decode(Buffer.of(0xbe)), [["ab", value]]);
});

test("HpackDecoder.decode() empties a table that is shrunk, or that a field does not fit into", () => {
  for (const block of ["20", `40 0161 7fa1 1f${"62".repeat(4_128)}`]) {
    const decoder = newDecoder();
    decoder.decode(hex("40 0161 0162"));
    assert.deepEqual(decoder.decode(hex("be")), [["a", "b"]]);
    decoder.decode(hex(block));
    assert.throws(() => decoder.decode(hex("be")), /Index 62 of no field/);
  }
});

test("HpackDecoder.decode() finds the newest of many fields first, and the oldest gone", () => {
  const decoder = newDecoder();
  // Each counts 32 bytes and its two of text, so that 120 of them fit.
  const values = Array.from({ length: 1_000 }, (_, ordinal) => String.fromCharCode(0x21 + (ordinal % 90)));
  for (const [ordinal, value] of values.entries()) {
    decoder.decode(Buffer.concat([hex("40 0161 01"), Buffer.from(value)]));
    assert.deepEqual(decoder.decode(Buffer.of(0xbe)), [["a", value]]);
    if (ordinal < 119) continue;
    assert.deepEqual(decoder.decode(Buffer.of(0xff, 62 + 119 - 127)), [["a", values[ordinal - 119]]]);
  }
  assert.throws(() => decoder.decode(Buffer.of(0xff, 62 + 120 - 127)), /Index 182 of no field/);
});

test("HpackDecoder.decode() reads what encodeFields() makes", () => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 300 });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (fields) => {
      assert.deepEqual(newDecoder().decode(encodeFields(fields)), fields);
    }),
  );
});

test("HpackDecoder.decode() throws nothing but a ConnectionError, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = newDecoder(200);
      try {
        for (const block of blocks) decoder.decode(block);
      } catch (error) {
        assert.equal((error as Error).name, "ConnectionError");
      }
    }),
    { numRuns: 2_000 },
  );
});

test(
  "decodeHuffman() and the decoder read what nghttp2 encodes, and it reads what encodeFields() makes",
  limit,
  async () => {
    // The server answers with the fields it was sent, and with the same as trailers, so that its table is used and evicts.
    const server = createServer();
    server.on("stream", (stream, received) => {
      const echo = Object.fromEntries(Object.entries(received).filter(([name]) => name.startsWith("x-")));
      stream.respond({ ":status": 200, ...echo }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(echo));
      stream.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    let nowMs = 0;
    const connection = new ClientConnection(
      { ...scriptedOptions, maxHeaderListBytes: 65_536 },
      { write: (bytes) => (socket.write(bytes) ? 0 : socket.writableLength), onGoaway() {}, onOver: assert.fail },
      // Much more of headers than an agent may send: hours pass meanwhile.
      { monotonic: () => (nowMs += 60_000) },
    );
    socket.on("data", (chunk) => connection.receive(chunk));
    await once(socket, "connect");
    connection.start();
    const exchange = (fields: readonly Field[]) =>
      new Promise<Record<string, string>[]>((resolve) => {
        const lists: Record<string, string>[] = [];
        const keep = (map: ReadonlyMap<string, string>) =>
          lists.push(Object.fromEntries([...map].filter(([name]) => name.startsWith("x-"))));
        const start: Field[] = [
          [":method", "POST"],
          [":scheme", "http"],
          [":path", "/"],
          [":authority", "a"],
        ];
        connection.request([...start, ...fields], Buffer.alloc(0), {
          onHead: keep,
          onData() {},
          onTrailers: keep,
          onClose: () => resolve(lists),
        });
      });
    // Every byte that a value may hold and node:http2 lets through, so every length of code up to 28 bits.
    const character = fc.oneof(fc.integer({ min: 0x21, max: 0x7e }), fc.integer({ min: 0xa1, max: 0xff }));
    const value = fc.array(character, { minLength: 1, maxLength: 120 }).map((codes) => String.fromCharCode(...codes));
    const name = fc.integer({ min: 0, max: 30 }).map((ordinal) => `x-${ordinal}`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, value), { maxLength: 12, selector: ([key]) => key }),
        async (fields) => {
          const echo = Object.fromEntries(fields);
          // A response without any field has no trailers, either.
          assert.deepEqual(await exchange(fields), fields.length === 0 ? [{}] : [echo, echo]);
        },
      ),
      { numRuns: 200 },
    );
    socket.destroy();
    server.close();
    await once(server, "close");
  },
);

test("decodeHuffman() reads nothing from nothing", () => {
  assert.equal(decodeHuffman(Buffer.alloc(0)), "");
});
