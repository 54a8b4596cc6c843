#!/usr/bin/env bash
# Builds the wheels of hpoctl and its plugins, installs them in a fresh environment, and runs an experiment from there:
# what a person gets who installs hpoctl without a checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# As a person installs them; by uv where it is at hand, which needs less time.
install() {
    if command -v uv > /dev/null; then
        uv pip install --quiet --python "$place/environment/bin/python" "$@"
    else
        "$place/environment/bin/pip" install --quiet "$@"
    fi
}

python3 -m venv "$place/environment"
"$place/environment/bin/pip" wheel --quiet --no-deps --wheel-dir "$place/wheels" \
    . plugins/hpoctl-fcnet plugins/hpoctl-activations plugins/hpoctl-lcbench plugins/hpoctl-optuna
# Engines without their libraries, which are large: what registers them loads all the same.
"$place/environment/bin/pip" wheel --quiet --no-deps --wheel-dir "$place/engines" \
    plugins/hpoctl-ray plugins/hpoctl-sagemaker
ls -l "$place/wheels" "$place/engines"
install "$place"/wheels/*.whl
install --no-deps "$place"/engines/*.whl

cd "$place"
export HPOCTL_ROOT=$place/results HPOCTL_CACHE=$place/cache HPOCTL_DATA=$place/data
run=(environment/bin/hpoctl run --benchmark fcnet-protein --max-wallclock-time 600 --random-seed 1)
environment/bin/hpoctl plugins --json | python3 -c '
import json, sys
plugins = {entry["origin"]["entry_point"]: entry for entry in json.load(sys.stdin)["data"]["plugins"]}
assert all(entry["state"] == "loaded" for entry in plugins.values()), plugins
assert {"ray", "sagemaker"} <= set(plugins), plugins
'
"${run[@]}" --method MOBSTER-RELU --tag wheel
"${run[@]}" --method OPTUNA-TPE-ASHA --tag wheel
"${run[@]}" --method RS --tag wheel --json | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["status"] == "success", answer
assert answer["data"]["experiments"][0]["rows"] > 0, answer
'

install onnx # it makes the synthetic model; the plugin does without it
environment/bin/python "$checkout/plugins/hpoctl-lcbench/tools/synthetic_model.py" model.onnx
environment/bin/hpoctl blackbox import lcbench model.onnx
environment/bin/hpoctl run --benchmark lcbench-189908 --method ASHA --tag wheel --random-seed 1

ls results/wheel/MOBSTER-RELU-0/*/results.parquet results/wheel/RS/*/results.parquet
echo "wheels work"
