"""GENEB's tasks from each form in which they lie on disk: small files by hand, with the traps of the real ones."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import RawFiles, load
from builders.errors import MissingFileError, SourceFormatError, TaskDataError
from builders.sources.geneb.builder import GenebBuilder

TRAIN = [("ACGTAA", 1), ("CCGGTA", 0), ("ACGTAA", 1), ("TTTTNA", 0)]
TEST = [("GGGGGA", 0), ("ACACAC", 1)]


@pytest.fixture
def rows(data_dir, tmp_path):
    def make(name):
        builder = GenebBuilder(name, data_dir=data_dir, cache_dir=tmp_path / "cache")
        parts = builder.as_dataset()
        features = parts["train"].features["label"]
        make.audit, make.names = builder.audit, features.names
        return {part: list(zip(parts[part]["sequence"], parts[part]["label"], strict=True)) for part in parts}

    return make


def csv(rows, header="text,label"):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def fasta(rows, header="chr1:{0}-9|{1}"):
    return "".join(f">{header.format(i, label)}\n{text[:4]}\n{text[4:]}\n" for i, (text, label) in enumerate(rows))


def test_its_own_dataset_in_parts_and_flat(write_raw, rows):
    name = "deep4mc_E.coli_4mC"
    flat = [("ACAC", 1, "test"), ("GGTT", 0, "train"), ("GGTA", 1, "train"), ("CCCC", 0, "test")]
    write_raw(f"geneb/{name}.csv", csv(flat, "text,label,split"))
    assert rows("geneb_deep4mc_e_coli_4mc") == {
        "train": [("GGTT", 0), ("GGTA", 1)],
        "test": [("ACAC", 1), ("CCCC", 0)],
    }
    write_raw(f"geneb/tasks/{name}/train.csv", csv(TRAIN))
    write_raw(f"geneb/tasks/{name}/test.csv", csv(TEST))
    assert rows("geneb_deep4mc_e_coli_4mc") == {"train": TRAIN, "test": TEST}
    assert rows.audit.notes == ["train has 4 rows, 8,682 were expected", "test has 2 rows, 3,721 were expected"]
    assert rows.audit.parts["train"]["repeats"] == 1


def test_gue_keeps_its_part_for_validation(write_raw, rows):
    for part, content in (("train", TRAIN), ("dev", TEST[::-1]), ("test", TEST)):
        write_raw(f"gue/EMP/H3/{part}.csv.gz", gzip.compress(csv(content, "sequence,label").encode()))
    assert rows("geneb_gue_emp_h3") == {"train": TRAIN, "validation": TEST[::-1], "test": TEST}


def test_nucleotide_transformer_as_fasta_parquet_and_one_table_of_all_tasks(write_raw, data_dir, rows):
    write_raw("nucleotide_transformer/H4ac/train.fna", fasta(TRAIN))
    write_raw("nucleotide_transformer/H4ac/test.fna", fasta(TEST))
    assert rows("geneb_nt_h4ac") == {"train": TRAIN, "test": TEST}
    folder = data_dir / "nucleotide_transformer_revised"
    (folder / "H2AFZ").mkdir(parents=True)
    for part, content in (("train", TRAIN), ("test", TEST)):
        texts, labels = zip(*content, strict=True)
        pq.write_table(pa.table({"sequence": texts, "label": labels}), folder / "H2AFZ" / f"{part}.parquet")
        every = {"sequence": [*texts, "AAAA"], "label": [*labels, 2], "task": ["H3K27ac"] * len(texts) + ["enhancers"]}
        pq.write_table(pa.table(every), folder / f"{part}.parquet")
    assert rows("geneb_nt_revised_h2afz") == {"train": TRAIN, "test": TEST}
    assert rows("geneb_nt_revised_h3k27ac") == {"train": TRAIN, "test": TEST}
    with pytest.raises(SourceFormatError, match=r"train\.parquet: no row of the task 'promoter_tata'$"):
        rows("geneb_nt_revised_promoter_tata")


def test_plant_genomic_benchmark(write_raw, rows):
    for part, content in (("train", TRAIN), ("test", TEST)):
        write_raw(f"plant_genomic_benchmark/lncrna/g_max_{part}.fa", fasta(content, "gene {0}|{1}"))
    assert rows("geneb_pgb_lncrna_g_max") == {"train": TRAIN, "test": TEST}


def test_ipro_wael_tells_labels_by_file_order_or_numbers(write_raw, rows):
    halves = [(f"{'ACGT'[i % 4] * (i + 2)}", 0) for i in range(10)]
    write_raw("ipro_wael/Arabidopsis nonTATA/data.fasta", fasta(halves, "FP {0}"))
    found = rows("geneb_ipro_wael_arabidopsis_nontata")
    labels = {text: label for part in found.values() for text, label in part}
    assert labels == {text: int(i < 5) for i, (text, _) in enumerate(halves)}
    assert {part: len(content) for part, content in found.items()} == {"train": 7, "test": 3}
    # Numbers as NumPy writes them, with the line ends of Windows.
    numbers = "".join(f"{label:.18e}\r\n" for _, label in TRAIN)
    for part, name in (("train", "y_train"), ("test", "y_test")):
        write_raw(f"ipro_wael/HeLa-S3/{part}/data.fasta", fasta(TRAIN, "chr1"))
        write_raw(f"ipro_wael/HeLa-S3/{part}/{name}.txt", numbers)
    assert rows("geneb_ipro_wael_hela_s3") == {"train": TRAIN, "test": TRAIN}
    write_raw("ipro_wael/HeLa-S3/test/y_test.txt", "1\n")
    with pytest.raises(SourceFormatError, match=r"data\.fasta has 4 sequences, but .*y_test\.txt has 1 labels; fetch"):
        rows("geneb_ipro_wael_hela_s3")


def test_dhs_has_a_heading_inside_a_sequence(write_raw, rows):
    positive = "".join(f">misc_ppid_{i}\nACGT{'A' * i} \n" for i in range(6))
    negative = "".join(f">misc_ppid_{i}\nTTTT{'C' * i}\n" for i in range(14))
    write_raw("dhs/Data-S1.txt", f"{positive}II.\t14 non-TIS sequenCe seGmenTs\n\n{negative}")
    found = rows("geneb_idhs_el_dnase_i")
    assert sorted(text for part in found.values() for text, label in part if label) == [
        f"ACGT{'A' * i}" for i in range(6)
    ]
    assert {part: len(content) for part, content in found.items()} == {"train": 14, "test": 6}
    assert rows.audit.parts["train"]["other_letters"] == 0
    write_raw("dhs/Data-S1.txt", positive)
    with pytest.raises(SourceFormatError, match=r"Data-S1\.txt: 1 lists of sequences, expected two with a heading"):
        rows("geneb_idhs_el_dnase_i")


def test_5mc_is_the_5hmc_set(write_raw, rows):
    for part, content in (("train", TRAIN), ("test", TEST)):
        lines = [f"{i}\t{label}\t{text}" for i, (text, label) in enumerate(content)]
        write_raw(f"idna_abf/tsv/5hmC/5hmC_H.sapiens/{part}.tsv", "\n".join(["index\tlabel\ttext", *lines]))
    assert rows("geneb_idna_abf_5mc") == {"train": TRAIN, "test": TEST}
    assert "5hmC" in GenebBuilder.builder_configs["geneb_idna_abf_5mc"].description


def test_genomic_benchmarks_as_folders_of_texts(write_raw, rows):
    for part in ("train", "test"):
        for name, text in (("negative", "AAAA"), ("positive", "CCCC")):
            for i in (10, 9):
                write_raw(f"genomic_benchmarks/human_nontata_promoters/{part}/{name}/{i}.txt", text + "T" * i)
    each = [(f"AAAA{'T' * i}", 0) for i in (9, 10)] + [(f"CCCC{'T' * i}", 1) for i in (9, 10)]
    assert rows("geneb_gb_human_nontata_promoters") == {"train": each, "test": each}
    assert rows.names == ["negative", "positive"]


GENOME = ">1 dna:chromosome\nACGTAC\nGTTTGG\nCA\n>MT\nGGGG\n"
HEADER = "id,region,start,end,strand"


def coordinates(write_raw, regions, folder="genomic_benchmarks/demo_human_or_worm"):
    for part in ("train", "test"):
        for name in ("human", "worm"):
            write_raw(f"{folder}/{part}/{name}.csv", csv(regions, HEADER))


def test_genomic_benchmarks_as_coordinates(write_raw, rows):
    # The second spans three lines, the last is read on the other strand.
    coordinates(
        write_raw, [(0, "chr1", 0, 4, "+"), (1, "1", 3, 14, ""), (2, "chrM", 1, 3, "+"), (3, "chr1", 4, 8, "-")]
    )
    with pytest.raises(MissingFileError, match=r"human\.csv .*Homo_sap"):
        rows("geneb_gb_demo_human_or_worm")
    write_raw("genomic_benchmarks/genomes/Homo_sapiens.GRCh38.dna.toplevel.fa", GENOME)
    # The same through an index, with contents that only the index knows how to read.
    worm = "genomic_benchmarks/genomes/Caenorhabditis_elegans.WBcel235.dna.toplevel.fa"
    write_raw(worm, GENOME)
    write_raw(f"{worm}.fai", "1\t14\t18\t6\t7\nMT\t4\t39\t4\t5\n")
    found = rows("geneb_gb_demo_human_or_worm")
    expected = ["ACGT", "TACGTTTGGCA", "GG", "ACGT"]
    assert found["train"] == found["test"] == [(text, label) for label in (0, 1) for text in expected]
    assert rows.names == ["human", "worm"]


@pytest.mark.parametrize(
    ("genome", "region", "expected"),
    [
        (GENOME, ("chr7", 0, 4, "+"), r"toplevel\.fa: no contig 'chr7' among 2$"),
        (GENOME, ("chr1", 9, 15, "+"), r"toplevel\.fa: chr1 has 14 bases, not 9 to 15"),
        (GENOME, ("chr1", 0, "x", "+"), r"human\.csv: row 1 is from '0' to 'x'; expected whole numbers$"),
        (">1\nACG\nACGT\n", ("chr1", 0, 1, "+"), r"toplevel\.fa: lines of a contig differ in length \(1\); expected"),
        ("ACGT\n", ("chr1", 0, 1, "+"), r"toplevel\.fa: does not begin with '>' \(b'ACGT"),
    ],
)
def test_a_genome_that_does_not_fit(write_raw, rows, genome, region, expected):
    coordinates(write_raw, [(0, *region)])
    write_raw("genomic_benchmarks/genomes/Homo_sapiens.GRCh38.dna.toplevel.fa", genome)
    write_raw("genomic_benchmarks/genomes/Caenorhabditis_elegans.WBcel235.dna.toplevel.fa", GENOME)
    with pytest.raises(SourceFormatError, match=expected):
        rows("geneb_gb_demo_human_or_worm")


def test_files_of_a_collection_count_before_an_earlier_build(write_raw, data_dir, tmp_path):
    def sequences():
        return load("geneb_gue_mouse_1", RawFiles(data_dir), cache_dir=tmp_path / "cache").dataset["sequence"][:]

    for name in ("train", "test"):
        write_raw(f"gue/mouse/1/{name}.csv", csv(TEST, "sequence,label"))
    assert sequences() == ["GGGGGA", "ACACAC"] * 2
    write_raw("gue/mouse/1/train.csv", csv(TRAIN, "sequence,label"))
    assert sequences() == ["ACGTAA", "CCGGTA", "ACGTAA", "TTTTNA", "GGGGGA", "ACACAC"]
    (data_dir / "gue/mouse/1/test.csv").unlink()
    with pytest.raises(MissingFileError, match="test is missing"):
        sequences()


def test_half_a_task_says_which_half_is_missing(write_raw, rows):
    write_raw("gue/mouse/1/test.csv", csv(TEST, "sequence,label"))
    expected = (
        r"^geneb_gue_mouse_1: half of it is there: it has test \(.*mouse/1/test\.csv\), but train is missing; put"
        r" gue/mouse/1/train\.csv into the data directory, from https://huggingface.co/datasets/leannmlindsey/GUE/"
    )
    with pytest.raises(MissingFileError, match=expected):
        rows("geneb_gue_mouse_1")
    with pytest.raises(
        MissingFileError, match=r"^geneb_gue_mouse_3: none of its files is in .*; expected geneb/tasks/"
    ):
        rows("geneb_gue_mouse_3")


def test_a_label_that_is_none(write_raw, rows):
    for part in ("train", "test"):
        write_raw(f"gue/tf/0/{part}.csv", csv([*TRAIN, ("ACGT", "yes")], "sequence,label"))
    with pytest.raises(TaskDataError, match=r"^geneb_gue_human_tf_0: unexpected label 'yes'; expected one of 0, 1$"):
        rows("geneb_gue_human_tf_0")
    write_raw("nucleotide_transformer/H3/train.fna", ">one\nACGT\n")
    write_raw("nucleotide_transformer/H3/test.fna", ">one|1\nACGT\n")
    with pytest.raises(SourceFormatError, match=r"train\.fna: line 1 .*'>name\|label'"):
        rows("geneb_nt_h3")
