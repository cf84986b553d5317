"""Command line of the training: draw, train, export, measure."""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

import torch

from .export import export
from .measure import report
from .samples import data_set
from .trainer import SEED, SIZE, Trainer

log = logging.getLogger(__name__)


def main() -> None:
    """Trains and writes the model, and says how good it is."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model file to write")
    parser.add_argument("--places", type=int, default=480, help="places drawn, 8 pictures each")
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "figures-cache")
    parser.add_argument("--measure", type=int, default=600, help="held-out scenes to measure on")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    folder = options.cache / f"{SEED}-{options.places}-{SIZE[0]}x{SIZE[1]}"
    pictures, rows = data_set(folder, options.places, SIZE, SEED, workers=2)
    log.info("%d pictures with %d figures", len(rows), sum(map(len, rows)))
    trainer = Trainer(pictures, rows, options.batch)
    kept = folder / f"after-{options.epochs}.pt"
    if kept.exists():
        trainer.go_on(kept)
    while trainer.epochs < options.epochs:
        said = trainer.epoch(options.epochs)
        log.info("epoch %d of %d: %s", trainer.epochs, options.epochs, said)
        trainer.keep(kept)
        export(trainer.average, options.out)  # after each epoch, so that a stop loses little
    for least in (0.5, 0.25):
        for line in report(options.out, options.measure, least):
            log.info("%s", line)


if __name__ == "__main__":
    main()
