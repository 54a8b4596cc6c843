"""A script as it is written for Syne Tune: its Reporter, its argument for checkpoints, nothing of hpoctl."""

import argparse
import json
import math
from pathlib import Path

from syne_tune import Reporter


def main() -> None:
    """A curve that falls to a value that depends on two hyperparameters."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=float, required=True)
    parser.add_argument("--height", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--st_checkpoint_dir", type=str)
    args = parser.parse_args()

    report = Reporter()
    done = 0
    checkpoint = None
    if args.st_checkpoint_dir is not None:
        folder = Path(args.st_checkpoint_dir)
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = folder / "state.json"
        if checkpoint.exists():
            done = json.loads(checkpoint.read_text())["epoch"]

    for epoch in range(done + 1, args.epochs + 1):
        floor = (math.log10(args.width) + 1.0) ** 2 + 0.1 * args.height**2
        loss = floor + math.exp(-0.2 * epoch)
        if checkpoint is not None:
            unfinished = checkpoint.with_suffix(".unfinished")
            unfinished.write_text(json.dumps({"epoch": epoch}))
            unfinished.replace(checkpoint)  # a trial may be killed at any moment
        report(epoch=epoch, mean_loss=loss)


if __name__ == "__main__":
    main()
