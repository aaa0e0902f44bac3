/** Builds this project's images as one OCI archive, without Docker and without pulling anything. */
import { copyFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { errorText } from "../../lib/process/log.ts";
import { testbedPaths } from "../testbed/config.ts";
import { buildImages, DEFAULT_PREFIX, imageRef, type ProgramName, programNames } from "./images.ts";

const USAGE = `node hack/images/main.ts [--out=FILE.tar] [--prefix=${DEFAULT_PREFIX}] [${programNames.join("|")} ...]

Bundles these programs (all, by default) and builds an OCI archive of their images. Prints its path, and the images'
names on stderr.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: "string" },
      prefix: { type: "string", default: DEFAULT_PREFIX },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const wanted = positionals.length === 0 ? programNames : positionals.map(parseProgram);
  const archive = await buildImages(wanted, { cache: testbedPaths().cache, prefix: values.prefix });
  if (values.out !== undefined) copyFileSync(archive, values.out);
  process.stdout.write(`${values.out ?? archive}\n`);
  for (const program of wanted) process.stderr.write(`${imageRef(program, values.prefix)}\n`);
}

function parseProgram(text: string): ProgramName {
  const program = programNames.find((name) => name === text);
  if (program === undefined)
    throw new RangeError(`Cannot build an image of "${text}": there are ${programNames.join(", ")}`);
  return program;
}

main().catch((error: unknown) => {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
});
