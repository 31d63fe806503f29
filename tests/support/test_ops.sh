#!/usr/bin/env bash
# test_ops.sh: the scripts every other one stands on: authority, private cluster, packages.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
closed=''
finish() {
    for dir in "$work/pg" "$work/two" "$closed"; do
        [ -z "$dir" ] || "$root/ops/lib/postgres" stop "$dir" || true
    done
    rm -rf "$work"
}
trap finish EXIT
chmod 755 "$work"
said() { echo "not so: $*" >&2; exit 1; }
refused() { # command: must fail with one line that names the script
    local out
    ! out=$("$@" 2>&1) || said "$* was taken"
    [ "$(wc -l <<<"$out")" = 1 ] || said "$* answered more than a line: $out"
}
pki=$root/ops/pki/pki
postgres=$root/ops/lib/postgres

# --- authority
"$pki" ca "$work/pki"
"$pki" issue "$work/pki" bank-a alliance://bank/a
"$pki" issue "$work/pki" server DNS:localhost,IP:127.0.0.1
printf 'merchant-x alliance://merchant/x\nmerchant-y alliance://merchant/y/store/s1/terminal/T_9\n' | "$pki" issue-list "$work/pki"
for name in bank-a server merchant-x merchant-y; do
    openssl verify -CAfile "$work/pki/ca.pem" "$work/pki/$name.pem" >/dev/null || said "$name is not signed"
    [ "$(stat -c %a "$work/pki/$name.key")" = 600 ] || said "$name.key can be read by others"
done
openssl x509 -in "$work/pki/bank-a.pem" -noout -ext subjectAltName,basicConstraints,extendedKeyUsage >"$work/bank-a.txt"
grep -q 'URI:alliance://bank/a' "$work/bank-a.txt" || said "bank-a has no URI"
grep -q 'CA:FALSE' "$work/bank-a.txt" || said "bank-a could sign"
grep -q 'TLS Web Client' "$work/bank-a.txt" || said "bank-a is no client"
openssl verify -CAfile "$work/pki/ca.pem" -verify_hostname localhost "$work/pki/server.pem" >/dev/null || said "server is not localhost"
# What is good stays as it is; what is about to expire is made anew, and so is what an older authority signed.
cp "$work/pki/bank-a.pem" "$work/before.pem"
"$pki" ca "$work/pki"
"$pki" issue "$work/pki" bank-a alliance://bank/a
cmp -s "$work/before.pem" "$work/pki/bank-a.pem" || said "a good certificate was replaced"
openssl req -x509 -new -key "$work/pki/bank-a.key" -CA "$work/pki/ca.pem" -CAkey "$work/pki/ca.key" -subj /CN=bank-a -days 5 \
    -out "$work/pki/bank-a.pem" 2>/dev/null
touch -d '60 days ago' "$work/pki/bank-a.pem"
"$pki" issue "$work/pki" bank-a alliance://bank/a
openssl x509 -in "$work/pki/bank-a.pem" -noout -checkend $((300 * 86400)) >/dev/null || said "an expiring certificate was kept"
for bad in '../x alliance://bank/a' 'x http://bank/a' 'x alliance://bank/a/../b' 'ca alliance://bank/a'; do
    # shellcheck disable=SC2086
    refused "$pki" issue "$work/pki" $bad
done
refused "$pki" issue "$work/none" x alliance://bank/a

# --- private cluster: two at a time, one behind a closed folder with a long name and a blank in it
answers() { [ "$(psql "$1 dbname=postgres" -AtXqc 'SELECT 6 * 7')" = 42 ] || said "$1 does not answer"; }
first=$("$postgres" start "$work/pg" fast)
second=$("$postgres" start "$work/two" fast)
answers "$first"
answers "$second"
[ "$first" != "$second" ] || said "two clusters share a socket"
[ "$("$postgres" start "$work/pg" fast)" = "$first" ] || said "starting again said something else"
"$postgres" stop "$work/two"
answers "$first"
! "$postgres" status "$work/two" || said "what was stopped runs"
[ "$(psql "$first dbname=postgres" -AtXqc 'SHOW listen_addresses')" = '' ] || said "the cluster listens on a port"
mkdir -m 700 "$work/closed folder"
closed="$work/closed folder/$(printf 'long%.0s' {1..20})/pg"
third=$("$postgres" start "$closed" fast)
answers "$third"
"$postgres" stop "$closed"
link=${third#host=}
[ ! -e "${link%% *}" ] || said "the short name of the socket was left behind"
"$postgres" stop "$work/never-started"
[ ! -e "$work/never-started" ] || said "stopping made a folder"

# --- packages: nothing to do is quick and silent; the list names each once
[ -z "$("$root/ops/lib/install" build)" ] || said "something was installed in a test"
[ -z "$(awk '!/^#/ { print $2 }' "$root/ops/lib/packages" | sort | uniq -d)" ] || said "a package is listed twice"
