#!/bin/sh
# Installs what test/kafka needs to fetch and run a broker: a Java runtime and Maven, Debian packages, as root.
# Elsewhere it only says what is missing. Exit: 0 everything is there, 1 something is not.
set -u

missing() {
  for pair in java:default-jre-headless mvn:maven; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair#*:}"
  done
}

packages=$(missing)
[ -n "$packages" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "services: missing, as Debian calls them:" $packages >&2
  echo "services: run this as root on Debian, or install them by hand (apt-get install $(echo $packages))" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet >&2 || exit 1
# shellcheck disable=SC2086
apt-get install --yes --quiet --no-install-recommends $packages >&2 || exit 1

packages=$(missing)
[ -z "$packages" ] || {
  echo "services: still missing after apt-get:" $packages >&2
  exit 1
}
