/** Whether a line of `kubectl logs` is an event: the relay's own log lines, on stderr, have a level. */
export function isEventLine(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return "HostName" in value && !("level" in value);
  } catch {
    // Text that is no JSON, as a crash prints it, or a line cut off by the container's end.
    return false;
  }
}

/** A line shortened to a terminal's width. */
export function clip(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
