import type { Result } from "./measure.ts";
import { type Bound, boundText, figureOf, figureText, isMet, requirementOf } from "./requirements.ts";
import { type Row, rowName } from "./rows.ts";

const heads = ["load", "required", "ours", "", "peer", "ours/peer", "floor p99 ms", "upstream, when required"];

/** The table of what is promised: for each row and each of its bounds, what was required and what was seen. */
export function summary(rows: readonly Row[], results: readonly Result[]): string {
  const lines = rows.flatMap((row) => {
    const requirement = requirementOf(row);
    if (requirement === undefined) return [];
    const of = (subject: string) =>
      results.find((result) => result.subject === subject && rowName(result.row) === rowName(row));
    return requirement.bounds.map((bound, i) => {
      // Said once, beside the first bound.
      const [name, floor, upstream] =
        i === 0 ? [rowName(row), floorP99(of("floor")), requirement.upstream] : ["", "", ""];
      return [name].concat(boundCells(bound, of("ours"), of("peer")), floor, upstream);
    });
  });
  return lines.length === 0 ? "Nothing is promised for these rows." : table([heads, ...lines]);
}

function boundCells(bound: Bound, ours: Result | undefined, peer: Result | undefined): readonly string[] {
  const mine = ours === undefined ? undefined : figureOf(bound.figure, ours);
  const theirs = peer === undefined ? undefined : figureOf(bound.figure, peer);
  return [
    boundText(bound),
    ours === undefined ? "-" : figureText(bound.figure, ours),
    ours === undefined ? "" : isMet(bound, ours) ? "met" : "MISSED",
    peer === undefined ? "-" : figureText(bound.figure, peer),
    mine === undefined || theirs === undefined ? "-" : ratio(mine, theirs),
  ];
}

function ratio(mine: number, theirs: number): string {
  if (!Number.isFinite(mine) || !Number.isFinite(theirs) || theirs === 0) return "-";
  return (mine / theirs).toFixed(2);
}

function floorP99(floor: Result | undefined): string {
  return floor === undefined ? "-" : (floor.latencyNs.p99 / 1e6).toFixed(2);
}

function table(lines: readonly (readonly string[])[]): string {
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const printed = lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [printed[0], "-".repeat(printed[0]?.length ?? 0), ...printed.slice(1)].join("\n");
}
