"""The training: batches, steps, and the running average of the weights that is kept."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from services.simulator.scenes import LABELS

from .loss import loss
from .measure import SIDE
from .net import FigureNet
from .samples import GREY

SEED = "figures-3"
SIZE = (640, 384)
RATE = 3e-3


class Trainer:
    """Trains a net from fixed seeds; `average` is the net to keep."""

    def __init__(self, pictures: np.ndarray, rows: list[np.ndarray], batch: int) -> None:
        torch.manual_seed(1)
        self._rng = np.random.default_rng(1)
        self._pictures, self._rows, self._size = pictures, rows, batch
        self._net = FigureNet(len(LABELS)).to(memory_format=torch.channels_last)
        self.average = FigureNet(len(LABELS))
        self.average.load_state_dict(self._net.state_dict())
        weights = [part for part in self._net.parameters() if part.ndim > 1]
        others = [part for part in self._net.parameters() if part.ndim == 1]
        groups = [
            {"params": weights, "weight_decay": 0.02},
            {"params": others, "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(groups, lr=RATE)
        self._step = 0
        self.epochs = 0  # done so far

    def keep(self, path: Path) -> None:
        """Writes all that is needed to go on from here."""
        parts = (self._net, self.average, self._optimiser)
        fresh = path.with_suffix(".new")
        torch.save([*(part.state_dict() for part in parts), self._step, self.epochs], fresh)
        fresh.replace(path)

    def go_on(self, path: Path) -> None:
        """Takes up what `keep` has written."""
        *states, self._step, self.epochs = torch.load(path, weights_only=True)
        for part, state in zip((self._net, self.average, self._optimiser), states, strict=True):
            part.load_state_dict(state)

    def epoch(self, epochs: int) -> str:
        """Goes once through all pictures, as one of so many times; says how it went."""
        start, total, good = time.monotonic(), 0.0, 0.0
        # Each epoch has a seed of its own, so that one can go on after a stop as if there was none.
        self._rng = np.random.default_rng((1, self.epochs))
        count = len(self._rows) // self._size
        order = self._rng.permutation(len(self._rows))[: count * self._size]
        for chosen in order.reshape(-1, self._size):
            self._set_rate(self._step / (epochs * count))
            value, overlap = self._learn(chosen)
            total, good = total + value, good + overlap
        self.epochs += 1
        spent = time.monotonic() - start
        return f"loss {total / count:.3f}, mean IoU {good / count:.3f}, {spent:.0f} s"

    def _set_rate(self, done: float) -> None:
        warm = min(1.0, (self._step + 1) / 150)
        for group in self._optimiser.param_groups:
            group["lr"] = RATE * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)

    def _learn(self, chosen: np.ndarray) -> tuple[float, float]:
        images, truth = self._batch(chosen)
        # Half precision halves the time where the processor has it, and costs no accuracy.
        with torch.autocast("cpu", torch.bfloat16):
            maps = self._net(images)
        value, overlap = loss([one.float() for one in maps], truth)
        self._optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), 10.0)
        self._optimiser.step()
        self._step += 1
        self._blend(min(0.995, self._step / (self._step + 20)))
        return value.item(), overlap

    def _blend(self, keep: float) -> None:
        states = (self.average.state_dict().values(), self._net.state_dict().values())
        with torch.no_grad():
            for mine, new in zip(*states, strict=True):
                if mine.is_floating_point():
                    mine.mul_(keep).add_(new, alpha=1 - keep)
                else:
                    mine.copy_(new)

    def _batch(self, chosen: np.ndarray) -> tuple[Tensor, list[Tensor]]:
        """Pictures and their figures; some mirrored, some with the grey of a letterbox."""
        rng = self._rng
        pixels = np.stack([self._pictures[i] for i in chosen])
        truth = [torch.from_numpy(self._rows[i].copy()) for i in chosen]
        if rng.random() < 0.5:
            pixels = np.ascontiguousarray(pixels[:, :, ::-1])
            for one in truth:
                one[:, 1] = SIZE[0] - one[:, 1]
        if rng.random() < 0.12:
            margin = (SIDE - SIZE[1]) // 2
            around = ((0, 0), (margin, margin), (0, 0), (0, 0))
            pixels = np.pad(pixels, around, constant_values=GREY[0])
            for one in truth:
                one[:, 2] += margin
        gain = rng.uniform(0.88, 1.12, (len(chosen), 3, 1, 1)).astype(np.float32) / 255
        # Rows of pixels as they are in the file are what the fast kernels want.
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        return images.mul_(torch.from_numpy(gain)).clamp_(max=1), truth
