#!/bin/sh
# Sends one Nagios notification or event to Quench as JSON, and keeps what could not be sent for the next run.
# Needs curl and awk; openssl only for signatures. Arguments are name=value, each a single-quoted macro; without any,
# the NAGIOS_ environment is sent instead (enable_environment_macros=1).
#   S1  No text from a check can break the JSON: every byte that JSON reserves is escaped, the others pass as they are.
#   S2  Token and signing key reach curl and openssl on standard input: no process list shows them.
#   S3  A message is on disk before the first try and stays there until it was taken, so a killed script loses nothing.
#   S4  No message overtakes an older one about the same host or service: a problem after its recovery would stay for ever.
# Exit: 0 taken, 1 kept in the spool, 2 refused for good.
set -u
umask 077
LC_ALL=C
export LC_ALL

# Settings; /etc/nagios/quench.conf may set any of them again.
url=http://127.0.0.1:8686/webhooks/nagios
token_file=
secret_file=
spool=/var/spool/quench-nagios
instance=$(uname -n)
# Nagios kills a notification after notification_timeout (30 s): the last try starts before this many seconds.
deadline_s=20
try_s=5
retry_waits='1 2 4'
spool_files_max=2000
refused_files_max=100
conf=${QUENCH_CONF:-/etc/nagios/quench.conf}
# shellcheck source=/dev/null
if [ -r "$conf" ]; then . "$conf"; fi

started=$(date +%s)

say() {
  printf 'notify-quench: %s\n' "$*" >&2
  if command -v logger >/dev/null 2>&1; then logger -t notify-quench -- "$*" 2>/dev/null; fi
  return 0
}

elapsed() {
  echo $(($(date +%s) - started))
}

# S1. Name=value arguments, or the environment; comments only ever come from the environment, where no shell reads them.
json() {
  # shellcheck disable=SC2016
  awk '
    function put(name, value,  at, chunk, i, c) {
      if (value == "") return
      printf "%s\"%s\":\"", (count++ ? "," : "{"), name
      for (at = 1; at <= length(value); at += 512) {
        chunk = substr(value, at, 512)
        for (i = 1; i <= length(chunk); i++) {
          c = substr(chunk, i, 1)
          printf "%s", ((c in escape) ? escape[c] : c)
        }
      }
      printf "\""
    }
    BEGIN {
      for (i = 1; i < 32; i++) escape[sprintf("%c", i)] = sprintf("\\u%04x", i)
      escape["\""] = "\\\""
      escape["\\"] = "\\\\"
      put("instance", ENVIRON["quench_instance"])
      hasTime = 0
      for (i = 1; i < ARGC; i++) {
        at = index(ARGV[i], "=")
        name = substr(ARGV[i], 1, at - 1)
        if (name !~ /^[a-z_]+$/) continue
        if (name == "sent_at") hasTime = 1
        put(name, substr(ARGV[i], at + 1))
      }
      if (!hasTime) put("sent_at", ENVIRON["quench_now"])
      macros = "NOTIFICATIONAUTHOR NOTIFICATIONCOMMENT HOSTALIAS SERVICENOTESURL HOSTNOTESURL SERVICEACTIONURL HOSTACTIONURL"
      if (ARGC < 2) {
        macros = macros " NOTIFICATIONTYPE HOSTNAME HOSTADDRESS HOSTGROUPNAMES PROCESSSTARTTIME CONTACTNAME SERVICEDESC SERVICEGROUPNAMES"
        kind = (ENVIRON["NAGIOS_SERVICEDESC"] == "") ? "HOST" : "SERVICE"
        macros = macros " " kind "STATE " kind "STATETYPE " kind "ATTEMPT MAX" kind "ATTEMPTS " kind "PROBLEMID LAST" kind "PROBLEMID"
        if (kind == "SERVICE") macros = macros " HOSTDOWNTIME"
        macros = macros " " kind "DOWNTIME " kind "PERCENTCHANGE " kind "NOTIFICATIONNUMBER LAST" kind "CHECK LAST" kind "STATECHANGE"
        macros = macros " " kind "ACKAUTHOR " kind "ACKCOMMENT " kind "CHECKCOMMAND " kind "OUTPUT " kind "PERFDATA LONG" kind "OUTPUT"
      }
      n = split(macros, macro, " ")
      for (i = 1; i <= n; i++) put(macro[i], ENVIRON["NAGIOS_" macro[i]])
      print (count ? "}" : "{}")
    }' "$@" </dev/null
}

# S2. HMAC-SHA256 by hand over standard input, as `openssl dgst -hmac` would show the key to everybody. Base64 out.
hmac() {
  # shellcheck disable=SC2016
  pads=$(sed -n '1s/^whsec_//p' "$secret_file" | openssl base64 -d -A 2>/dev/null | od -An -v -tx1 | awk '
    function xor(a, b,  bit, sum) {
      for (bit = 1; bit < 256; bit *= 2) if (int(a / bit) % 2 != int(b / bit) % 2) sum += bit
      return sum
    }
    { for (i = 1; i <= NF; i++) key[n++] = (index("0123456789abcdef", substr($i, 1, 1)) - 1) * 16 + index("0123456789abcdef", substr($i, 2, 1)) - 1 }
    END {
      if (n < 1 || n > 64) exit
      for (i = 0; i < 64; i++) inner = inner sprintf("\\0%03o", xor(key[i] + 0, 54))
      for (i = 0; i < 64; i++) outer = outer sprintf("\\0%03o", xor(key[i] + 0, 92))
      print inner " " outer
    }')
  [ -n "$pads" ] || return 1
  { printf '%b' "${pads% *}"; cat; } | openssl dgst -sha256 -binary | { printf '%b' "${pads#* }"; cat; } | openssl dgst -sha256 -binary | openssl base64 -A
}

# What curl shall do with one spooled file, as its configuration.
request() {
  id=$(basename "$1" .json)
  printf 'url = "%s"\ndata-binary = "@%s"\n' "$url" "$1"
  printf 'header = "Content-Type: application/json"\nheader = "User-Agent: notify-quench/1"\nheader = "Expect:"\nheader = "webhook-id: %s"\n' "$id"
  if [ -n "$token" ]; then printf 'header = "Authorization: Bearer %s"\n' "$token"; fi
  if [ -n "$secret_file" ]; then
    now=$(date +%s)
    signature=$({ printf '%s.%s.' "$id" "$now"; cat "$1"; } | hmac) || signature=
    if [ -n "$signature" ]; then printf 'header = "webhook-timestamp: %s"\nheader = "webhook-signature: v1,%s"\n' "$now" "$signature"; fi
  fi
}

# One try; prints the status, 000 when there was no answer. Redirects are not followed: they lose the body.
attempt() {
  request "$1" | curl -q --config - --silent --proto '=http,https' --connect-timeout 3 --max-time "$try_s" --dump-header "$work/head" --output "$work/body" --write-out '%{http_code}'
}

# 0 taken, 1 try again some other time, 2 will never be taken.
verdict() {
  case $1 in
    2??) return 0 ;;
    400 | 413 | 415 | 422) return 2 ;;
    *) return 1 ;;
  esac
}

# Seconds the last answer asked for, or the given ones.
pause() {
  awk -v own="$1" 'tolower($1) == "retry-after:" && $2 + 0 > own { own = int($2) } END { print own }' "$work/head" 2>/dev/null || echo "$1"
}

# S4. Whether an older message about the same thing has not been taken yet. Names are TIME-THING-RANDOM.json.
behind() {
  own=${1##*/}
  thing=${own#*-}
  for other in "$spool"/sending/*-"${thing%%-*}"-*.json "$spool"/waiting/*-"${thing%%-*}"-*.json; do
    stamp=${other##*/}
    if [ -e "$other" ] && [ "${stamp%%-*}" -lt "${own%%-*}" ]; then return 0; fi
  done
  return 1
}

deliver() {
  for wait in $retry_waits last; do
    : >"$work/head"
    held=queued
    if behind "$1"; then drain; fi
    if behind "$1"; then
      status=$held
    else
      status=$(attempt "$1")
      verdict "$status"
      outcome=$?
      [ "$outcome" -eq 1 ] || return "$outcome"
    fi
    case $status in
      408 | 429 | 5?? | 000 | queued) ;;
      # A redirect, a wrong token or address: more of the same helps nobody, the spool keeps it until that is repaired.
      *) return 1 ;;
    esac
    [ "$wait" != last ] || return 1
    wait=$(pause "$wait")
    [ $(($(elapsed) + wait)) -lt "$deadline_s" ] || return 1
    sleep "$wait"
  done
}

# Drops the oldest files of a folder above a number.
bound() {
  most=$2
  set -- "$1"/*.json
  while [ $# -gt "$most" ]; do
    rm -f "$1"
    say "spool is full: oldest message dropped"
    shift
  done
}

# Sends what waits, oldest first, until nobody answers or three were not taken. One process at a time; a lock left behind
# is void after 5 minutes. Leaves the last refusal in $held; fails while another process drains.
drain() {
  if [ -n "$(find "$spool/lock" -prune -mmin +5 2>/dev/null)" ]; then rmdir "$spool/lock" 2>/dev/null; fi
  mkdir "$spool/lock" 2>/dev/null || return 1
  trap 'rmdir "$spool/lock" 2>/dev/null; rm -rf "$work"' EXIT
  # S3: what a killed run left behind.
  find "$spool/sending" -name '*.json' -type f -mmin +2 -exec mv {} "$spool/waiting/" \; 2>/dev/null
  failures=0
  for file in "$spool"/waiting/*.json; do
    if ! [ -f "$file" ] || behind "$file"; then continue; fi
    [ "$(elapsed)" -lt "$deadline_s" ] || break
    status=$(attempt "$file")
    verdict "$status"
    case $? in
      0) rm -f "$file" ;;
      2) refuse "$file" ;;
      *)
        held=$status
        failures=$((failures + 1))
        ;;
    esac
    if [ "$status" = 000 ] || [ "$failures" -ge 3 ]; then break; fi
  done
  rmdir "$spool/lock"
  trap 'rm -rf "$work"' EXIT
}

refuse() {
  say "refused for good with status $status: $(basename "$1"), kept in $spool/refused"
  mv "$1" "$spool/refused/"
  bound "$spool/refused" "$refused_files_max"
}

if ! mkdir -p "$spool/sending" "$spool/waiting" "$spool/refused" 2>/dev/null || ! [ -w "$spool/sending" ]; then
  say "cannot write to spool $spool: this message has one chance only"
  spool=$(mktemp -d) || exit 1
  mkdir -p "$spool/sending" "$spool/waiting" "$spool/refused"
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

token=
if [ -n "$token_file" ]; then
  token=$(tr -d '\r\n' <"$token_file") || token=
  case $token in
    '' | *[!A-Za-z0-9._~+/=-]*)
      say "no usable token in $token_file"
      token=
      ;;
  esac
fi
if [ -n "$secret_file" ] && ! { command -v openssl && : | hmac; } >/dev/null 2>&1; then
  say "cannot sign: openssl or a key of the form whsec_... in $secret_file is missing"
  secret_file=
fi

# Nanoseconds where `date` knows them.
stamp=$(date +%s%N)
case $stamp in *[!0-9]*) stamp=${started}000000000 ;; esac
host=${NAGIOS_HOSTNAME:-}
service=${NAGIOS_SERVICEDESC:-}
for argument in "$@"; do
  case $argument in
    host=*) host=${argument#host=} ;;
    service=*) service=${argument#service=} ;;
  esac
done
thing=$(printf '%s\n%s' "$host" "$service" | cksum | cut -d ' ' -f 1)
message=$spool/sending/$stamp-$thing-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n').json
quench_instance=$instance
quench_now=$started
export quench_instance quench_now
json "$@" >"$message"

deliver "$message"
case $? in
  0)
    rm -f "$message"
    drain || { sleep 1 && drain; }
    exit 0
    ;;
  2)
    refuse "$message"
    exit 2
    ;;
  *)
    case $status in
      401) why="status 401: is the token of the endpoint in ${token_file:-token_file, which $conf does not set}?" ;;
      000) why="nobody answers at $url" ;;
      *) why="status $status" ;;
    esac
    say "not taken ($why): kept in $spool/waiting"
    mv "$message" "$spool/waiting/"
    bound "$spool/waiting" "$spool_files_max"
    exit 1
    ;;
esac
