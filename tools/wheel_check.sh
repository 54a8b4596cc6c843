#!/usr/bin/env bash
# Builds the wheels of hpoctl and its plugins, installs them in a fresh environment, and runs an experiment from there:
# what a person gets who installs hpoctl without a checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

python3 -m venv "$place/environment"
"$place/environment/bin/pip" wheel --quiet --no-deps --wheel-dir "$place/wheels" \
    . plugins/hpoctl-fcnet plugins/hpoctl-activations plugins/hpoctl-lcbench plugins/hpoctl-optuna plugins/hpoctl-sagemaker
ls -l "$place/wheels"
"$place/environment/bin/pip" install --quiet "$place"/wheels/*.whl

cd "$place"
export HPOCTL_ROOT=$place/results HPOCTL_CACHE=$place/cache HPOCTL_DATA=$place/data
run=(environment/bin/hpoctl run --benchmark fcnet-protein --max-wallclock-time 600 --random-seed 1)
"${run[@]}" --method MOBSTER-RELU --tag wheel
"${run[@]}" --method OPTUNA-TPE-ASHA --tag wheel
"${run[@]}" --method RS --tag wheel --json | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["status"] == "success", answer
assert answer["data"]["experiments"][0]["rows"] > 0, answer
'

"$place/environment/bin/pip" install --quiet onnx # it makes the synthetic model; the plugin does without it
environment/bin/python "$checkout/plugins/hpoctl-lcbench/tools/synthetic_model.py" model.onnx
environment/bin/hpoctl blackbox import lcbench model.onnx
environment/bin/hpoctl run --benchmark lcbench-189908 --method ASHA --tag wheel --random-seed 1

ls results/wheel/MOBSTER-RELU-0/*/results.parquet results/wheel/RS/*/results.parquet
echo "wheels work"
