import { type FlagKind, parseFlags } from "../../lib/process/flags.ts";
import { developmentRelayImage } from "../config.ts";

/** What is done once, instead of running the operator. */
export interface OneTimeCommand {
  /** `render`: print a relay's objects, without a cluster. `diff`: print in what a cluster's differ from them. */
  readonly kind: "render" | "diff";
  /** YAML or JSON with relays; `-` is the standard input. */
  readonly file: string;
  readonly relayImage: string;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

export type ParsedCommand =
  | OneTimeCommand
  | { readonly kind: "run" }
  | { readonly kind: "invalid"; readonly errors: readonly string[] };

const flags: Readonly<Record<string, FlagKind>> = {
  f: "string",
  filename: "string",
  "relay-image": "string",
  kubeconfig: "string",
  context: "string",
};

/** A first word that is no flag names a command; without one the operator is run. */
export function parseCommand(argv: readonly string[]): ParsedCommand {
  const [kind, ...rest] = argv;
  if (kind !== "render" && kind !== "diff") return { kind: "run" };
  const { values, positional, warnings, errors } = parseFlags(rest, flags);
  const file = values.get("f") ?? values.get("filename");
  const mistakes = [
    ...errors,
    // Of a command that is given by hand, a flag that is ignored is a mistake.
    ...warnings,
    ...positional.map((argument) => `Unexpected argument "${argument}"`),
    ...(file === undefined ? [`Flag -f is missing: ${kind} needs a file with a KubeArmorRelay`] : []),
  ];
  if (file === undefined || mistakes.length > 0) return { kind: "invalid", errors: mistakes };
  return {
    kind,
    file,
    relayImage: values.get("relay-image") ?? developmentRelayImage,
    kubeconfig: values.get("kubeconfig"),
    context: values.get("context"),
  };
}
