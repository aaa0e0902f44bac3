import assert from "node:assert/strict";
import { test } from "node:test";
import { installCommand, missingPackages } from "./debian.ts";

const PATH = ["/usr/bin", "/usr/sbin"];

test("missingPackages() is empty when every file is there", () => {
  assert.deepEqual(
    missingPackages(() => true, PATH),
    [],
  );
});

test("missingPackages() names a package once, however many of its files are missing", () => {
  const gone = /containerd$|\/ctr$|cni/;
  assert.deepEqual(
    missingPackages((path) => !gone.test(path), PATH),
    ["containerd", "containernetworking-plugins"],
  );
});

test("missingPackages() finds a program in any folder of PATH", () => {
  assert.deepEqual(
    missingPackages((path) => !path.startsWith("/usr/bin/"), PATH),
    [],
  );
});

test("installCommand() can be typed as it is", () => {
  assert.equal(
    installCommand(["runc", "iptables"]),
    "apt-get update && apt-get install -y --no-install-recommends runc iptables",
  );
});
