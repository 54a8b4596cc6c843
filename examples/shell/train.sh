#!/bin/sh
# Gradient descent with momentum on the Rosenbrock function, in shell and awk, with a checkpoint of one line.
set -eu

lr=0.001 momentum=0.5 steps=27
while [ $# -gt 0 ]; do
    case "$1" in
        --lr) lr=$2 ;;
        --momentum) momentum=$2 ;;
        --steps) steps=$2 ;;
        *) echo "train.sh: unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done

checkpoint=${HPOCTL_CHECKPOINT_DIR:+$HPOCTL_CHECKPOINT_DIR/state}
state="0 -1.0 1.5 0 0" # step, the point, its speed
if [ -n "$checkpoint" ] && [ -f "$checkpoint" ]; then state=$(cat "$checkpoint"); fi

step=${state%% *}
while [ "$step" -lt "$steps" ]; do
    state=$(echo "$state" | awk -v lr="$lr" -v momentum="$momentum" '{
        x = $2; y = $3; u = $4; v = $5
        for (i = 0; i < 20; i++) {
            u = momentum * u + lr * (2 * (1 - x) + 400 * x * (y - x * x))
            v = momentum * v - lr * 200 * (y - x * x)
            x += u; y += v
        }
        print $1 + 1, x, y, u, v
    }')
    step=${state%% *}
    if [ -n "$checkpoint" ]; then
        echo "$state" > "$checkpoint.unfinished"
        mv "$checkpoint.unfinished" "$checkpoint"
    fi
    # A point that left the range of numbers has no loss: JSON of hpoctl knows NaN.
    echo "$state" | awk '{
        loss = (1 - $2) ^ 2 + 100 * ($3 - $2 * $2) ^ 2
        text = sprintf("%.9g", loss)
        if (text !~ /^[0-9]/) text = "NaN"
        printf "[tune-metric]: {\"step\": %d, \"loss\": %s}\n", $1, text
    }'
done
