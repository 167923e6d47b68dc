"""How vectors were scored: the axes of a score besides its task and model."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["ALL_ENTITIES", "COMMON", "DEFAULTS", "UNSEEN", "Settings", "common_entities"]

ALL_ENTITIES = "all"
UNSEEN = "unseen"
COMMON = "common"


@dataclass(frozen=True, slots=True)
class Settings:
    """The axes in which two scores of one model on one task can differ; what differs in one is never averaged.

    These are what files may hold; which of them can be run, `gene_eval.running.options` says.

    Args:
        protocol: How a head is fitted: "paper", "scaled" or "geneb".
        engine: What fits it: "fast" or "sklearn".
        seed: For whatever is drawn at random.
        split: What separates training from test rows: "random" (the task's folds), "family", "chromosome",
            "gene_disjoint", "disease_disjoint" or "published".
        head: What is fitted to the vectors: "linear", "ridge", "mlp", "knn", "centroid", or `module:Class`.
        shots: Training examples per class, None for all of them.
        entities: What was scored: "all" that have a vector; those that all models of a set have, see
            `common_entities`; or "unseen", of a test part the sequences that the training part lacks.
    """

    protocol: str = "paper"
    engine: str = "fast"
    seed: int = 0
    split: str = "random"
    head: str = "linear"
    shots: int | None = None
    entities: str = ALL_ENTITIES

    def __str__(self) -> str:
        """One line of what is `shown`.

        >>> print(Settings(split="family", shots=5))
        protocol paper, engine fast, seed 0, split family, shots 5
        """
        return ", ".join(f"{axis} {value}" for axis, value in self.shown.items())

    def __lt__(self, other: "Settings") -> bool:
        """Order by the axes as they are listed above; of each, the default comes first."""
        return self._key() < other._key()

    def _key(self) -> tuple[Any, ...]:
        changed = self.differences(DEFAULTS)
        return tuple((axis in changed, -1 if value is None else value) for axis, value in asdict(self).items())

    @property
    def shown(self) -> dict[str, Any]:
        """Axis to value for readers: protocol, engine and seed, and what else is not at its default."""
        always = {"protocol": self.protocol, "engine": self.engine, "seed": self.seed}
        return always | self.differences(DEFAULTS)

    def differences(self, other: "Settings") -> dict[str, Any]:
        """Axis to value where these settings are not those of `other`.

        >>> Settings(seed=3).differences(Settings())
        {'seed': 3}
        """
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != getattr(other, each.name)
        }


DEFAULTS = Settings()


def common_entities(models: Iterable[str]) -> str:
    """The axis `entities` of a run with `--common-genes`: eight hex digits stand for the names of its models.

    >>> common_entities(["b", "a"]) == common_entities(["a", "b"]), common_entities(["a"])
    (True, 'common-ca978112')
    """
    return f"{COMMON}-{hashlib.sha256(chr(10).join(sorted(models)).encode()).hexdigest()[:8]}"
