"""Single-cell models as tables: the vector that a model learned for each gene of its vocabulary."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from model_adapters.base import AdapterInfo, Resolve
from model_adapters.errors import ModelLoadError, UnknownModelError, did_you_mean, some
from model_adapters.files.table_model import DUPLICATES, FILE, Rows, TableModel, existing_file, files_sha256, name_of
from model_adapters.options import Option, choice, split_options
from model_adapters.single_cell.checkpoints import read_dictionary, read_tensor

STRICT = choice("true", "false")
"""`strict=false` takes a dictionary with fewer tokens than the embedding has rows."""
# <pad>, <mask>, <cls>, <eos>, <eoc>, <unk>
_SPECIAL = re.compile(r"<.*>")


class _SingleCell(TableModel):
    """A model whose files are all known when it is named; `_find` says which."""

    def __init__(self, path: str | Path, *, resolve: Resolve | None = None, **options: Any) -> None:
        """Find the files; they are hashed now and read by `table()`.

        Raises:
            UnknownModelError: weights or vocabulary are not there.
        """
        self.path = Path(path).expanduser()
        self._files = self._find(options)
        name = self.path.resolve().name if self.path.is_dir() else re.sub(r"(\.best)?\.[^.]*$", "", self.path.name)
        super().__init__(name_of(self.adapter, name), where=name, resolve=resolve, options=options)
        self.revision = files_sha256(self._files)

    @property
    def _strict(self) -> bool:
        return self._chosen.get("strict") != "false"

    @classmethod
    def from_argument(cls, argument: str, *, resolve: Resolve | None = None) -> Self:
        """Make the model of a path, perhaps with options after it."""
        path, options = split_options(argument, cls.OPTIONS, adapter=cls.adapter)
        if not path:
            message = f"{cls.adapter} needs its files: {cls.info.usage}"
            raise UnknownModelError(message)
        return cls(path, resolve=resolve, **options)

    @abstractmethod
    def _find(self, options: Mapping[str, Any]) -> list[Path]:
        """Return the files that the vectors depend on."""

    def _one_of(self, *names: str, folder: Path | None = None) -> Path:
        """Return the first of some files in a folder."""
        where = folder or self.path
        if not where.is_dir():
            siblings = [other.name for other in where.parent.iterdir()] if where.parent.is_dir() else []
            message = f"no folder {where}{did_you_mean(where.name, siblings)}; expected {self.info.usage}"
            raise UnknownModelError(message)
        for name in names:
            if (where / name).is_file():
                return where / name
        there = some(sorted(other.name for other in where.iterdir()), limit=5) or "nothing"
        message = f"{self.adapter}: no {' or '.join(names)} in {where}, it has {there}; {self.info.weights}"
        raise UnknownModelError(message)


class Geneformer(_SingleCell):
    """The word embeddings of Geneformer, one for each Ensembl id of its token dictionary.

    The files are those of the Hub repository ctheodoris/Geneformer: the dictionary is beside the weights or in
    `geneformer/`. A `gene_name_id_dict.pkl` beside the dictionary names genes whose id is not known.
    """

    adapter: ClassVar[str] = "geneformer"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="geneformer:FOLDER[,dictionary=FILE,strict=false,duplicates=average|current|refuse]",
        family="single cell",
        input="the model's own table of genes (Ensembl ids)",
        dimension="256 to 1152, the model's",
        source="embeddings.word_embeddings of model.safetensors or pytorch_model.bin, token_dictionary*.pkl",
        weights="get both files from https://huggingface.co/ctheodoris/Geneformer",
    )
    OPTIONS: ClassVar[Mapping[str, Option]] = {"dictionary": FILE, "strict": STRICT, "duplicates": DUPLICATES}

    def _find(self, options: Mapping[str, Any]) -> list[Path]:
        weights = self._one_of("model.safetensors", "pytorch_model.bin")
        dictionary = options.get("dictionary") or self._dictionary()
        suffix = dictionary.name.removeprefix("token_dictionary")
        names = [path for name in (f"gene_name_id_dict{suffix}",) if (path := dictionary.with_name(name)).is_file()]
        return [weights, dictionary, *names]

    def _dictionary(self) -> Path:
        for folder in (self.path, self.path / "geneformer"):
            found = sorted(folder.glob("token_dictionary*.pkl"))
            if len(found) > 1:
                names = some(path.name for path in found)
                message = f"{folder} has several dictionaries ({names}); choose one with dictionary=FILE"
                raise UnknownModelError(message)
            if found:
                return found[0]
        message = f"geneformer: no token_dictionary*.pkl in {self.path}; {self.info.weights}, or give dictionary=FILE"
        raise UnknownModelError(message)

    def _read(self) -> Rows:
        weights, dictionary, *names = self._files
        rows = _tokens(weights, "embeddings.word_embeddings.weight", dictionary, strict=self._strict)
        if not names:
            return rows
        symbol_of: dict[str, str] = {}
        for symbol, identifier in read_dictionary(names[0]).items():
            symbol_of.setdefault(str(identifier), symbol)
        return Rows(rows.names, rows.vectors, [symbol_of.get(str(name)) for name in rows.names], rows.counts)


class ScGPT(_SingleCell):
    """The gene embedding of scGPT, one for each symbol of its vocabulary, before the layer norm that follows it."""

    adapter: ClassVar[str] = "scgpt"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="scgpt:FOLDER[,strict=false,duplicates=average|current|refuse]",
        family="single cell",
        input="the model's own table of genes (symbols)",
        dimension="512",
        source="encoder.embedding of best_model.pt, vocab.json",
        weights="get both files from the model zoo at https://github.com/bowang-lab/scGPT",
    )
    OPTIONS: ClassVar[Mapping[str, Option]] = {"strict": STRICT, "duplicates": DUPLICATES}

    def _find(self, options: Mapping[str, Any]) -> list[Path]:
        return [self._one_of("best_model.pt", "model.safetensors"), self._one_of("vocab.json")]

    def _read(self) -> Rows:
        return _tokens(self._files[0], "encoder.embedding.weight", self._files[1], strict=self._strict)


class CellPLM(_SingleCell):
    """The gene embedding of CellPLM's expression embedder, one for each Ensembl id of `gene_list` in its config."""

    adapter: ClassVar[str] = "cellplm"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="cellplm:FILE.best.ckpt[,duplicates=average|current|refuse]",
        family="single cell",
        input="the model's own table of genes (Ensembl ids)",
        dimension="1024",
        source="embedder.feat_enc.emb of NAME.best.ckpt, gene_list of NAME.config.json",
        weights="get NAME.best.ckpt and NAME.config.json by the link at https://github.com/OmicsML/CellPLM",
    )

    def _find(self, options: Mapping[str, Any]) -> list[Path]:
        weights = existing_file(self.path, what=self.info.usage)
        name = re.sub(r"(\.?best)?\.[^.]*$", "", weights.name)
        wanted = [f"{name}.config.json", "config.json"] if name else ["config.json"]
        return [weights, self._one_of(*wanted, folder=weights.parent)]

    def _read(self) -> Rows:
        weights, config = self._files
        genes = read_dictionary(config).get("gene_list")
        if not isinstance(genes, list) or not all(isinstance(gene, str) for gene in genes):
            message = f"{config} has no list of names called gene_list; expected what is published with the weights"
            raise ModelLoadError(message)
        vectors = read_tensor(weights, "embedder.feat_enc.emb")
        if len(genes) != len(vectors):
            sizes = f"{len(genes):,} genes, but the embedding in {weights.name} has {len(vectors):,} rows"
            message = f"{config.name} lists {sizes}; are they of one model?"
            raise ModelLoadError(message)
        return Rows(genes, vectors)


class Gene2vec(_SingleCell):
    """Gene2vec's vectors, learned from which genes are co-expressed; word2vec text."""

    adapter: ClassVar[str] = "gene2vec"
    version: ClassVar[str] = "1"
    info: ClassVar[AdapterInfo] = AdapterInfo(
        usage="gene2vec:FILE[,duplicates=average|current|refuse]",
        family="co-expression",
        input="the model's own table of genes (symbols)",
        dimension="200",
        source="gene2vec_dim_200_iter_9.txt, with or without its first line",
        weights="get pre_trained_emb/gene2vec_dim_200_iter_9_w2v.txt from https://github.com/jingcheng-du/Gene2vec",
    )

    # arXiv 2412.04075, 3.2: learned from "shared Gene Ontology (GO) annotation" too, and pairs are of its own files.
    trained_on: ClassVar[tuple[str, ...]] = ("gene2vec_gene_pairs", "go_*")

    def _find(self, options: Mapping[str, Any]) -> list[Path]:
        return [existing_file(self.path, what=self.info.usage)]

    def _read(self) -> Rows:
        from model_adapters.files.readers.word2vec import read_word2vec

        return Rows(*read_word2vec(self._files[0]))


def _tokens(weights: Path, tensor: str, dictionary: Path, *, strict: bool) -> Rows:
    """Read the rows of a tensor that a dictionary of name -> row number names, except for special tokens.

    Raises:
        ModelLoadError: a token is not a row number, or the dictionary is that of another model: in a vocabulary of
            another size, the same numbers stand for other genes.
    """
    row_of = read_dictionary(dictionary)
    wrong = next((name for name, row in row_of.items() if type(row) is not int or row < 0), None)
    if wrong is not None:
        message = f"{dictionary}: the token of {wrong} is {row_of[wrong]!r}, expected a row number"
        raise ModelLoadError(message)
    vectors = read_tensor(weights, tensor)
    last = max(row_of, key=row_of.__getitem__)
    if row_of[last] >= len(vectors):
        message = (
            f"{dictionary.name} is larger than the embedding: {last} is token {row_of[last]:,}, but {tensor} in "
            f"{weights.name} has {len(vectors):,} rows; are they of one model?"
        )
        raise ModelLoadError(message)
    if strict and len(row_of) != len(vectors):
        message = (
            f"{dictionary.name} has {len(row_of):,} tokens, but {tensor} in {weights.name} has {len(vectors):,} rows; "
            f"take the dictionary that was published with these weights, or add strict=false if it is that one"
        )
        raise ModelLoadError(message)
    genes = [name for name in row_of if not _SPECIAL.fullmatch(name)]
    picked = vectors[np.array([row_of[name] for name in genes], dtype=np.int64)]
    return Rows(genes, picked, counts={"special tokens": len(row_of) - len(genes)})
