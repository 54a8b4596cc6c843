#!/usr/bin/env bash
# Whether Syne Tune 0.13 and 0.16 read what `hpoctl export` writes, and hpoctl what Syne Tune 0.13 writes.
#
#   tools/check_exchange.sh [FOLDER]
#
# Makes an environment for each version in FOLDER (a temporary one if none is named) unless they are there, from the
# package index that pip is set up with. `hpoctl` with hpoctl-fcnet has to be installed. Takes some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

place=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$place"' EXIT
mkdir -p "$place"
place=$(cd "$place" && pwd)

environment() { # name, requirements
    local python=$place/$1/bin/python
    [ -x "$python" ] && "$python" -c 'import syne_tune.experiments' 2>/dev/null >&2 && return
    python3 -m venv "$place/$1"
    "$python" -m pip install --quiet "${@:2}"
}
environment st013 'syne-tune[visual,gpsearchers]==0.13.0' 'numpy<1.24'
environment st016 'syne-tune==0.16.*' matplotlib

work=$(mktemp -d "$place/check-XXXXXX")
export HPOCTL_ROOT=$work/results HPOCTL_CACHE=$work/cache HPOCTL_DATA=$work/data MPLCONFIGDIR=$work/mpl
golden=tests/data/syne-tune

hpoctl run --method RS --method ASHA --method MOBSTER --benchmark fcnet-protein --benchmark fcnet-naval --tag own-1 \
    --num-seeds 2 --random-seed 1 --max-wallclock-time 600 --n-workers 2
hpoctl import "$golden/old-1"
hpoctl export --tag own-1 --tag old-1 --output "$work/exported"
hpoctl export --tag own-1 --tag old-1 --format csv --output "$work/rows.csv"
hpoctl export --tag old-1 --format csv --output "$work/old.csv"
hpoctl import "$work/exported" --tag back-1 --results "$work/again" # what was exported comes back
hpoctl export --tag back-1 --results "$work/again" --output "$work/back"
hpoctl export --tag back-1 --results "$work/again" --format csv --output "$work/back.csv"
# ... the same but for its tag and where it comes from
cmp <(cut -d, -f2-4,6- "$work/rows.csv" | sort) <(cut -d, -f2-4,6- "$work/back.csv" | sort)

cp -r "$golden" "$work/golden" && rm -r "$work/golden/plain" # it has no seeds
for version in st013 st016; do
    loaders=("$place/$version/bin/python" -W ignore tools/synetune_loaders.py)
    "${loaders[@]}" "$work/exported" "$work/rows.csv"
    "${loaders[@]}" "$work/golden" "$work/old.csv"
    "${loaders[@]}" "$work/back" "$work/back.csv"
done
echo "exchange works"
