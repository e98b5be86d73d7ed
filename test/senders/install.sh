#!/bin/sh
# Installs the real senders that test/senders runs against: Debian packages, as root. Starts no service and leaves none running.
# Elsewhere it only says what is missing. Exit: 0 everything is there, 1 something is not.
set -u

missing() {
  for pair in prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager amtool:prometheus-alertmanager \
    nagios4:nagios4-core curl:curl openssl:openssl zabbix_server:zabbix-server-pgsql php:php-cli psql:postgresql \
    '/usr/lib/postgresql/*/bin/initdb:postgresql' /usr/share/zabbix/api_jsonrpc.php:zabbix-frontend-php '/usr/lib/php/*/pgsql.so:php-pgsql'; do
    case $pair in
      # shellcheck disable=SC2086 # a pattern
      /*) ls ${pair%%:*} >/dev/null 2>&1 || echo "${pair#*:}" ;;
      *) PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair#*:}" ;;
    esac
  done | sort -u
}

packages=$(missing)
[ -n "$packages" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "senders: missing, as Debian calls them:" $packages >&2
  echo "senders: run this as root on Debian, or install them by hand (apt-get install $(echo $packages))" >&2
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
# shellcheck disable=SC2086
apt-get install --yes --quiet --no-install-recommends $packages >&2 || exit 1

packages=$(missing)
[ -z "$packages" ] || {
  echo "senders: still missing after apt-get:" $packages >&2
  exit 1
}
