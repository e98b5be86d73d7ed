#!/bin/sh
# Installs what test/influx runs: Debian's InfluxDB, as root. Its service is not started: tests start a server of their own.
# Elsewhere it only says what is missing. Exit: 0 it is there, 1 it is not.
set -u

command -v influxd >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "series: missing, as Debian calls it: influxdb" >&2
  echo "series: run this as root on Debian, or install it by hand (apt-get install influxdb)" >&2
  exit 1
fi
# Packages ask this file whether their service may start: 101 is no. One that the machine already has is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet >&2 || exit 1
apt-get install --yes --quiet --no-install-recommends influxdb >&2 || exit 1
command -v influxd >/dev/null 2>&1 || {
  echo "series: influxd is still missing after apt-get" >&2
  exit 1
}
