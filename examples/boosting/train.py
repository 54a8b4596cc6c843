"""Gradient boosting of scikit-learn on its breast cancer data; each stage adds a tree and is reported."""

import argparse
import os
import pickle
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

import hpoctl


def main() -> None:
    """Add stages, report after each group of them, and save the model to continue from."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning_rate", type=float, default=0.1)
    parser.add_argument("--max_depth", type=int, default=3)
    parser.add_argument("--subsample", type=float, default=1.0)
    parser.add_argument("--min_samples_leaf", type=int, default=1)
    parser.add_argument("--stages", type=int, default=27)
    parser.add_argument("--trees_per_stage", type=int, default=4)
    args = parser.parse_args()

    inputs, labels = load_breast_cancer(return_X_y=True)
    split = train_test_split(inputs, labels, test_size=0.3, random_state=0, stratify=labels)
    training, validation, training_labels, validation_labels = split

    folder = os.environ.get("HPOCTL_CHECKPOINT_DIR")
    checkpoint = Path(folder) / "model.pickle" if folder else None
    model = GradientBoostingClassifier(
        learning_rate=args.learning_rate,
        max_depth=args.max_depth,
        subsample=args.subsample,
        min_samples_leaf=args.min_samples_leaf,
        warm_start=True,  # a further fit adds trees to those that are there
        random_state=int(os.environ.get("HPOCTL_SEED", "0")),
    )
    done = 0
    if checkpoint is not None and checkpoint.exists():
        model = pickle.loads(checkpoint.read_bytes())
        done = model.n_estimators // args.trees_per_stage

    for stage in range(done + 1, args.stages + 1):
        model.set_params(n_estimators=stage * args.trees_per_stage)
        model.fit(training, training_labels)
        if checkpoint is not None:
            unfinished = checkpoint.with_suffix(".unfinished")
            unfinished.write_bytes(pickle.dumps(model))
            unfinished.replace(checkpoint)
        hpoctl.report(
            stage=stage,
            log_loss=log_loss(validation_labels, model.predict_proba(validation)),
            accuracy=model.score(validation, validation_labels),
        )


if __name__ == "__main__":
    main()
