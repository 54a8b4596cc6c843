"""A small network in PyTorch that learns a noisy function, with checkpoints and, where there is one, on a GPU."""

import argparse
import os
from pathlib import Path

import torch
from torch import nn

import hpoctl


def data(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """2,000 points in six dimensions and a function of them with noise."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(2000, 6, generator=generator) * 2 - 1
    values = torch.sin(3 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + inputs[:, 3].abs()
    values = values + 0.1 * torch.randn(2000, generator=generator)
    return inputs.to(device), values.unsqueeze(1).to(device)


def main() -> None:
    """Train, report after each epoch, and save what it takes to continue."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--epochs", type=int, default=27)
    args = parser.parse_args()

    torch.manual_seed(int(os.environ.get("HPOCTL_SEED", "0")))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")  # hpoctl sets CUDA_VISIBLE_DEVICES
    inputs, values = data(device)
    model = nn.Sequential(
        nn.Linear(6, args.width), nn.ReLU(), nn.Dropout(args.dropout), nn.Linear(args.width, args.width), nn.ReLU(),
        nn.Linear(args.width, 1),
    ).to(device)  # fmt: skip
    kind = torch.optim.Adam if args.optimizer == "adam" else torch.optim.SGD
    optimizer = kind(model.parameters(), lr=args.lr)

    folder = os.environ.get("HPOCTL_CHECKPOINT_DIR")
    checkpoint = Path(folder) / "state.pt" if folder else None
    done = 0
    if checkpoint is not None and checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["epoch"]

    for epoch in range(done + 1, args.epochs + 1):
        model.train()
        for batch in torch.randperm(1500).split(args.batch_size):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(inputs[batch]), values[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            loss = nn.functional.mse_loss(model(inputs[1500:]), values[1500:])
        if checkpoint is not None:
            unfinished = checkpoint.with_suffix(".unfinished")
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, unfinished)
            unfinished.replace(checkpoint)
        hpoctl.report(epoch=epoch, loss=loss)


if __name__ == "__main__":
    main()
