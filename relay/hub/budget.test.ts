import assert from "node:assert/strict";
import { test } from "node:test";
import { queryObjects } from "node:v8";
import { Budget } from "./budget.ts";
import { Page, type PageHolder } from "./page.ts";

const options = { maxBytes: 400, pageBytes: 100 };

/** A page that somebody has queued. */
function queued(
  budget: Budget,
  bytes = 100,
): { readonly page: Page; readonly evictions: () => number; readonly free: () => void } {
  const page = budget.take(bytes);
  let evictions = 0;
  const holder: PageHolder = {
    evict(evicted) {
      assert.equal(evicted, page);
      evictions++;
      page.release(holder);
    },
  };
  page.hold(holder);
  page.close();
  return { page, evictions: () => evictions, free: () => page.release(holder) };
}

test("Budget.take() evicts the oldest pages that are only queued, and no more of them than it must", () => {
  const budget = new Budget(options);
  const open = budget.take(100);
  const [pinned, oldest, newest] = [queued(budget), queued(budget), queued(budget)];
  pinned.page.pin();
  assert.equal(budget.usedBytes, 400);
  budget.take(80);
  assert.deepEqual(
    [pinned, oldest, newest].map(({ evictions }) => evictions()),
    [0, 1, 0],
  );
  assert.equal(budget.usedBytes, 400);
  open.close();
  assert.equal(budget.usedBytes, 300);
});

test("Budget.take() takes from every holder of a page", () => {
  const budget = new Budget(options);
  const { page, evictions } = queued(budget);
  let others = 0;
  for (let index = 0; index < 3; index++) {
    const holder: PageHolder = {
      evict() {
        others++;
        page.release(holder);
        page.release(holder);
      },
    };
    page.hold(holder);
    page.hold(holder);
  }
  budget.take(400);
  assert.deepEqual([evictions(), others, budget.usedBytes], [1, 3, 400]);
});

test("Budget.take() goes beyond the bound when all pages are open or being written", () => {
  const budget = new Budget(options);
  for (let index = 0; index < 4; index++) queued(budget).page.pin();
  budget.take(100);
  assert.deepEqual([budget.usedBytes, budget.pinnedBytes], [500, 400]);
});

test("Budget.configure() evicts at once what a smaller budget does not hold", () => {
  const budget = new Budget(options);
  const pages = [queued(budget), queued(budget), queued(budget)];
  budget.configure(150);
  assert.deepEqual(
    pages.map(({ evictions }) => evictions()),
    [1, 1, 0],
  );
  assert.deepEqual([budget.usedBytes, budget.maxBytes], [100, 150]);
});

test("Budget uses the memory of a page again when nobody has it, be it queued, open or pinned", () => {
  const budget = new Budget(options);
  const { page, free } = queued(budget);
  page.pin();
  free();
  assert.notEqual(budget.take(100).bytes, page.bytes, "still being written");
  page.unpin();
  assert.equal(budget.take(100).bytes, page.bytes);
});

const notUsedAgain: Readonly<Record<string, (budget: Budget) => Page>> = {
  "that the kernel may still read": (budget) => {
    const page = budget.take(100);
    page.taint();
    return page;
  },
  "of another size": (budget) => budget.take(120),
  "that would be more than the budget": (budget) => {
    budget.configure(100);
    budget.take(100);
    return budget.take(100);
  },
};

for (const [name, take] of Object.entries(notUsedAgain)) {
  test(`Budget does not use the memory of a page again ${name}`, () => {
    const budget = new Budget(options);
    const page = take(budget);
    page.close();
    assert.notEqual(budget.take(100).bytes, page.bytes);
  });
}

test("Budget keeps no spare pages for a large one or a smaller budget", () => {
  for (const change of [(budget: Budget) => budget.take(300), (budget: Budget) => budget.configure(300)]) {
    const budget = new Budget(options);
    const page = budget.take(100);
    page.close();
    change(budget);
    assert.notEqual(budget.take(100).bytes, page.bytes);
  }
});

test("Budget forgets pages that nobody has any more", () => {
  const budget = new Budget(options);
  for (let index = 0; index < 100; index++) budget.take(100).close();
  const left = queryObjects(Page, { format: "count" });
  assert.ok(typeof left === "number" && left < 50);
  assert.equal(budget.usedBytes, 0);
});

test("Budget lets writes extend over a quarter of it, and begin with a large page in half of it", () => {
  const budget = new Budget(options);
  const [small, large] = [queued(budget).page, queued(budget, 200).page];
  assert.deepEqual([budget.mayExtend(small), budget.mayExtend(large)], [true, false]);
  assert.deepEqual([budget.mayBegin(small), budget.mayBegin(large)], [true, true]);
  const other = queued(budget).page;
  other.pin();
  assert.deepEqual([budget.mayExtend(small), budget.mayBegin(small), budget.mayBegin(large)], [false, true, false]);
  assert.ok(budget.mayExtend(other), "what is being written already costs nothing more");
  other.unpin();
  assert.ok(budget.mayExtend(small));
});

test("Page refuses to be let go of more often than it was taken", () => {
  const page = new Budget(options).take(1);
  assert.throws(() => page.unpin(), /not pinned/);
  assert.throws(() => page.release({ evict() {} }), /not held/);
});
