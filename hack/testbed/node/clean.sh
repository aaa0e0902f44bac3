#!/bin/sh
# clean.sh DIR CGROUP: removes what a node leaves on the host once its namespaces are gone: its cgroups and its directory.
dir=$1
cgroup=$2
# cgroup v2 has one hierarchy, v1 one for each controller. The kernel empties a cgroup some time after its last process.
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for top in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
    [ -d "$top" ] || continue
    find "$top" -depth -type d -exec rmdir {} + 2> /dev/null || left=$top
  done
  [ -n "$left" ] || break
  sleep 0.2
done
[ -z "$left" ] || echo "cannot remove the cgroup $left: something still runs in it" >&2
rm -rf "$dir"
