#!/usr/bin/env bash
# test_demo.sh demo | real SOURCE THROUGH: the main job, twice, and its statements against the independent checker.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
programme=$1
source=${2:-}
through=${3:-9999-99}
export ALLIANCE_VAR=${ALLIANCE_VAR:-$root/var/test-stack} ALLIANCE_QUIET=1
[ "$programme" != real ] || source=$(cd "$source" && pwd -P)
raw=${source:-$ALLIANCE_VAR/demo/demo/raw}
options=(--keep)
[ "$programme" != real ] || options+=(--data "$source" --through "$through")

# From another directory, and twice: the second run finds everything done.
cd /
"$root/ops/dev" reset
"$root/ops/demo" "${options[@]}"
"$root/ops/demo" "${options[@]}" >"$ALLIANCE_VAR/second-run.txt"
python3 "$root/tests/settlement/expected_real.py" "$programme" "$raw" "$ALLIANCE_VAR/statements" --through "$through"
if [ "$programme" = real ]; then
    # No card number of the source is anywhere under var, the database included.
    ! tail -n +2 "$source/ibm-cards/sd254_cards.csv" | cut -d, -f5 | grep -E '^[0-9]{12,19}$' |
        grep -rlaFf - "$ALLIANCE_VAR" --exclude-dir=pki || { echo "a card number was stored" >&2; exit 1; }
fi
"$root/ops/dev" down
"$root/ops/dev" status >/dev/null && { echo "something still runs" >&2; exit 1; }
exit 0
