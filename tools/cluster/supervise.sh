#!/bin/bash
# Process 1 of a cluster's namespaces: makes the cluster's own view of the machine, then starts components as it is
# told and starts them again when they end. When this process dies the kernel ends everything below it.
#   supervise.sh CLUSTER_DIRECTORY
# Commands arrive as names of components, one a line, on run/commands.
set -euo pipefail
directory=$1
run=$directory/run
logs=$directory/logs
data=$directory/data

# Mounts that pods share are shared within the cluster only: unshare made everything private to it.
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /var/lib/kubelet /var/lib/cni "$data/kubelet" /var/log/pods "$data/pod-logs"
mount --bind "$data/kubelet" /var/lib/kubelet
mount --bind "$data/pod-logs" /var/log/pods
mount -t tmpfs -o mode=755 tmpfs /var/lib/cni

# The kubelet changes these settings for the whole machine; here it changes a copy.
mkdir -p /run/kernel-settings
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  [ -e "/proc/sys/$setting" ] || continue
  copy=/run/kernel-settings/${setting//\//-}
  cat "/proc/sys/$setting" >"$copy"
  mount --bind "$copy" "/proc/sys/$setting"
done

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects
# There is no way out: a connection to the outside world fails at once instead of waiting for an answer.
ip route add unreachable default

supervise() {
  local name=$1
  local pid code
  while true; do
    bash "$run/$name.command" >>"$logs/$name.log" 2>&1 &
    pid=$!
    echo "$pid" >"$run/$name.pid"
    code=0
    wait "$pid" || code=$?
    echo "$code" >>"$run/$name.exits"
    sleep 1
  done
}

rm -f "$run/commands"
mkfifo "$run/commands"
exec 3<>"$run/commands"
touch "$run/prepared"
while read -r name <&3; do
  supervise "$name" &
done
