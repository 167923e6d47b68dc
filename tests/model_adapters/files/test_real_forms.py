"""Vectors for all protein-coding genes, saved in fifteen forms, are one table."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from builders import SymbolResolver
from model_adapters import EmbeddingTable, load_model

DIM = 32


class Explaining:
    """What the runner makes of a `SymbolResolver`."""

    def __init__(self, resolver):
        self.resolver = resolver

    def __call__(self, names):
        return self.resolver.resolve(names).symbols

    def explain(self, names):
        return [(match.symbol, match.status) for match in self.resolver.resolve(names).matches]


def write(folder, symbols, ensembl, entrez, vectors):
    columns = [f"d{i}" for i in range(DIM)]
    frame = pd.DataFrame(vectors, index=symbols, columns=columns)
    lists = dict(zip(symbols, vectors.tolist(), strict=True))
    frame.to_csv(folder / "index.csv")
    frame.set_axis(ensembl).rename_axis("gene_id").to_csv(folder / "ensembl.tsv", sep="\t")
    frame.set_axis([f"{one}.0" for one in entrez]).rename_axis("entrez").to_csv(folder / "decimals.csv")
    frame.to_csv(folder / "semicolons.csv.gz", sep=";", decimal=",")
    frame.to_parquet(folder / "index.parquet")
    doubles = frame.assign(entrez_id=list(map(float, entrez)), biotype="coding")
    doubles.to_parquet(folder / "doubles.parquet", index=False)
    frame.rename_axis("symbol").reset_index().reset_index().to_feather(folder / "numbered.feather")
    (folder / "lists.pickle").write_bytes(pickle.dumps(lists))
    (folder / "arrays.pkl").write_bytes(pickle.dumps(dict(zip(ensembl, vectors, strict=True))))
    torch.save({symbol: torch.tensor(vector) for symbol, vector in zip(symbols, vectors, strict=True)}, folder / "t.pt")
    (folder / "lists.json").write_text(json.dumps(lists))
    np.savez(folder / "inside.npz", IDs=np.array(entrez), data=vectors)
    np.save(folder / "beside.npy", vectors)
    (folder / "beside.genes.tsv").write_text("\n".join(f"{row}\t{symbol}" for row, symbol in enumerate(symbols)))
    (folder / "w2v.txt").write_text("\n".join(f"{one} {' '.join(map(str, lists[one]))}" for one in symbols))
    frame.T.to_csv(folder / "transposed.csv")


@pytest.mark.real_data
def test_fifteen_forms_of_one_frame(raw_dir, tmp_path):
    path = raw_dir / "hgnc" / "hgnc_complete_set.txt"
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    table = table[(table.status == "Approved") & (table.locus_group == "protein-coding gene")]
    table = table[(table.ensembl_gene_id != "") & (table.entrez_id != "")].drop_duplicates("ensembl_gene_id")
    table = table.drop_duplicates("entrez_id").head(19_000)
    vectors = np.random.default_rng(0).standard_normal((len(table), DIM)).astype(np.float32)
    write(tmp_path, table.symbol.tolist(), table.ensembl_gene_id.tolist(), table.entrez_id.tolist(), vectors)
    resolve = Explaining(SymbolResolver.from_hgnc(path))
    expected = EmbeddingTable(table.symbol.tolist(), vectors).sha256
    files = sorted(each for each in tmp_path.iterdir() if not each.name.endswith(".genes.tsv"))
    found = {each.name: load_model(str(each), resolve=resolve).vector_table().sha256 for each in files}
    assert len(table) == 19_000
    assert len(found) == 15
    assert found == dict.fromkeys(found, expected)
