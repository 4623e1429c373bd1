"""Every format: how many papers each real file holds, what is kept of them, and what is mended on the way."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgbuild.errors import InputError, InputWarning, KgbuildError
from kgbuild.records import Paper
from kgbuild.sources import FORMATS, detect, read
from kgbuild.sources.stream import Input

# The papers of every file of ../shared/formats; where a name stands for several files, they hold as many each.
COUNTS = {
    "acl_anthology_xml/2022.acl.xml": 774,
    "acl_anthology_xml/J89.xml": 58,
    "arxiv_atom/id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af.xml": 1,
    "arxiv_atom/id_1605.08386_s0_m100_199195aa31ad.xml": 1,
    "arxiv_atom/id_1707.08567_s0_m100_6a1afebfc6a3.xml": 1,
    "arxiv_atom/id_2104.12255v1_s0_m100_6ae69987ffe1.xml": 1,
    "arxiv_atom/id_astro-ph_0601001_s0_m100_3150dca9dc76.xml": 1,
    "arxiv_atom/id_quant-ph_0201082v1_s0_m100_86989fe779ef.xml": 1,
    "arxiv_atom/q_testing_s0_m100_cfe7536492ca.xml": 100,
    "arxiv_atom/q_testing_s0_m10_bc5a6c384fe9.xml": 10,
    "arxiv_atom/q_testing_s0_m15_80c242b59d59.xml": 15,
    "arxiv_atom/q_testing_s10_m10_34e56e15aaac.xml": 10,
    "arxiv_atom/q_testing_s20_m10_348a237fecab.xml": 10,
    "arxiv_atom/q_testing_s30_m10_f2e39f0143dc.xml": 10,
    "arxiv_atom/q_testing_s40_m10_96dd32eb854c.xml": 10,
    "arxiv_atom/q_testing_s5_m10_c0e94a259d4a.xml": 10,
    "arxiv_atom/q_testing_s5_m15_bbcf6b23085b.xml": 15,
    "arxiv_atom/q_testing_s9_m15_0b78d4b4d476.xml": 15,
    "arxiv_kaggle_jsonl/arxiv-metadata-oai-snapshot.sample.json": 200,
    "arxiv_oai/adsabs_oai_ArXiv.org_0901_2443.xml": 1,
    "arxiv_oai/adsabs_oai_ArXiv.org_1711_04702.xml": 1,
    "arxiv_oai/adsabs_oai_ArXiv.org_1711_05739.xml": 1,
    "arxiv_oai/adsabs_oai_ArXiv.org_astro-ph_9501013.xml": 1,
    "arxiv_oai/adsabs_oai_ArXiv.org_cond-mat_9706061.xml": 1,
    "arxiv_oai/adsabs_oai_ArXiv.org_hep-th_0408048.xml": 1,
    "arxiv_oai/adsabs_oai_ArXiv.org_math_0306266.xml": 1,
    "arxiv_oai/hepcrawl_arxiv-physics-hep-ex.xml": 3,
    "arxiv_oai/hepcrawl_arxiv-physics-hep-th.xml": 3,
    "arxiv_oai/hepcrawl_sample_arxiv_record.xml": 12,
    **{f"arxiv_oai/hepcrawl_sample_arxiv_record{number}.xml": 1 for number in range(11)},
    "bibtex/acl2022_no_abstracts.bib": 20,
    "bibtex/pmlr_with_abstracts.bib": 60,
    "csv/arxiv_archive_cs.CL.sample.tsv": 39,
    "csv/iclr2021_paperlist.sample.tsv": 50,
    "daily_arxiv_jsonl/2026-01-01.sample.jsonl": 30,
    **{f"openalex/paperqa_test_doi_search[paper_attributes{number}]_2.json": 1 for number in range(5)},
    "openalex/authorJsonResponse.json": 0,
    "openalex/paperqa_test_title_search[paper_attributes0]_3.json": 1,
    "openalex/paperqa_test_title_search[paper_attributes1]_2.json": 1,
    "openalex/paperqa_test_title_search[paper_attributes2]_3.json": 2,
    "paperlists_json/naacl2022.sample.json": 30,
    "paperlists_json/nips2017.sample.json": 30,
    "semantic_scholar/paper_detail.json": 1,
    "semantic_scholar/test_get_papers_not_found_warning_0.json": 3,
    "semantic_scholar/test_get_recommended_papers_0.json": 30,
    "semantic_scholar/test_search_paper_next_page_0.json": 30,
}


def papers_of(text: str | bytes, tmp_path: Path, *, format: str | None = None) -> tuple[list[Paper], list[InputError]]:
    """The papers and the problems of one small input."""
    path = tmp_path / "input"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    problems: list[InputError] = []
    return [paper for _, paper in read([path], format=format, on_problem=problems.append)], problems


@pytest.fixture(scope="module")
def real(shared: Path) -> tuple[dict[str, list[Paper]], list[InputError]]:
    """The papers of every real file by its name, and all problems."""
    found: dict[str, list[Paper]] = {name: [] for name in COUNTS}
    problems: list[InputError] = []
    folder = shared / "formats"
    for name, paper in read([folder], on_problem=problems.append):
        found.setdefault(name.removeprefix(f"{folder.as_posix()}/"), []).append(paper)
    return found, problems


def test_counts_of_real_files(real: tuple[dict[str, list[Paper]], list[InputError]], shared: Path) -> None:
    """Each real file holds as many papers as the table says, and the table names each file."""
    files = {path.relative_to(shared / "formats").as_posix() for path in (shared / "formats").rglob("*") if path.is_file()}

    assert files == set(COUNTS)
    assert {name: len(papers) for name, papers in real[0].items()} == COUNTS


def test_problems_of_real_files(real: tuple[dict[str, list[Paper]], list[InputError]]) -> None:
    """Nothing in the real files is an error: a file without papers, a missing record and two cut entries are warnings with their place."""
    told = Counter((Path(problem.path).name, problem.position) for problem in real[1])

    assert all(isinstance(problem, InputWarning) for problem in real[1])
    assert told == {
        ("authorJsonResponse.json", ""): 1,
        ("test_get_papers_not_found_warning_0.json", "record 1"): 1,
        ("pmlr_with_abstracts.bib", "line 321"): 1,
        ("pmlr_with_abstracts.bib", "line 576"): 1,
    }


def test_text_of_real_files(real: tuple[dict[str, list[Paper]], list[InputError]]) -> None:
    """Titles are one line without tags, entities or loose white space; every paper has an id, most have authors, a year and an abstract."""
    marked_up = [paper for name, papers in real[0].items() if not name.startswith("csv/") for paper in papers]
    for paper in marked_up:
        assert paper.id
        assert paper.title == " ".join(paper.title.split())
        assert "&amp;" not in paper.text
        assert "</" not in paper.text
        assert "{\\" not in paper.title
    full = [
        paper
        for name, papers in real[0].items()
        if not name.startswith(("semantic", "csv", "acl_anthology_xml/J89", "bibtex/acl"))
        for paper in papers
    ]

    assert sum(bool(paper.abstract) for paper in full) >= len(full) - 4
    assert sum(bool(paper.authors) for paper in full) >= len(full) - 1
    assert sum(bool(paper.year) for paper in full) == len(full)


def test_metadata_of_real_files(real: tuple[dict[str, list[Paper]], list[InputError]]) -> None:
    """Authors, year, venue, identifiers and code links come through where the file has them."""
    acl = {paper.doi: paper for paper in real[0]["acl_anthology_xml/2022.acl.xml"]}
    adapler = acl["10.18653/v1/2022.acl-long.1"]
    naacl = real[0]["paperlists_json/naacl2022.sample.json"][0]
    snapshot = real[0]["arxiv_kaggle_jsonl/arxiv-metadata-oai-snapshot.sample.json"][0]

    assert (adapler.year, adapler.authors[0], adapler.code) == (2022, "Ali Modarressi", ("https://github.com/amodaresi/adapler",))
    assert (adapler.venue or "").startswith("Proceedings of the 60th Annual Meeting")
    assert (naacl.id, naacl.code) == ("doi:10.18653/v1/2022.naacl-main.361", ("https://github.com/SLAB-NLP/linguistic-blood-bank",))
    assert (snapshot.arxiv, snapshot.doi, snapshot.year, snapshot.authors[0]) == (
        "0704.0001",
        "10.1103/physrevd.76.013009",
        2007,
        "C. Balázs",
    )
    assert sum(bool(paper.code) for paper in acl.values()) > 400


def test_own_records_are_kept_letter_for_letter(tmp_path: Path) -> None:
    """Id, title and abstract of our own JSON lines and Parquet come through unchanged, LaTeX, tags, spaces and all."""
    row = {
        "id": " Ä/1 ",
        "title": r" {\it A}  <i>b</i> &amp; c ",
        "abstract": "x\n\n  y\t$z$ \u00a0",
        "year": "2021",
        "authors": ["B. Ö"],
        "code": "github.com/a/b",
    }
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row]), sink)
    for data in (json.dumps(row), json.dumps(row, ensure_ascii=False), json.dumps([row]), sink.getvalue()):
        (paper,), problems = papers_of(data, tmp_path)

        assert (paper.id, paper.title, paper.abstract) == (row["id"], row["title"], row["abstract"])
        assert (paper.year, paper.authors, paper.code, problems) == (2021, ("B. Ö",), ("https://github.com/a/b",), [])


def test_a_bad_first_record_hides_no_format(tmp_path: Path) -> None:
    """A first record without a title, or one that is broken, is one line; the format is told by the next ones."""
    for bad in ('{"id": "0"}', '{"id": "0", "ti'):
        papers, problems = papers_of(f'{bad}\n{{"id": 7, "title": "A good one"}}\n', tmp_path)

        assert ([paper.id for paper in papers], [problem.position for problem in problems]) == (["7"], ["line 1"])


def test_own_records_round_trip(tmp_path: Path) -> None:
    """What `Paper.to_json` writes is read back as the same paper."""
    paper = Paper(
        "x", "A title", "Text.", 2020, ("A B", "C D"), "ACL", "10.1000/x", "2001.00001", "https://a.b/c", ("https://github.com/a/b",)
    )

    assert papers_of(json.dumps(paper.to_json()), tmp_path) == ([paper], [])


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_tables_are_kept_as_they_stand(separator: str, tmp_path: Path) -> None:
    """Cells of a table keep their signs; a bare row number is no id; a row of the wrong width is one line."""
    rows = [
        ["No", "Title", "Abstract", "DOI", "Year"],
        ["1", r"\it On <b>", '"A ""quoted"" one."', "https://doi.org/10.1000/X", "2019-04-01"],
        ["2", "short"],
    ]
    (paper,), problems = papers_of("\n".join(separator.join(row) for row in rows), tmp_path)

    assert (paper.id, paper.title, paper.abstract, paper.year) == ("doi:10.1000/x", r"\it On <b>", 'A "quoted" one.', 2019)
    assert [problem.position for problem in problems] == ["line 3"]


BIB = r"""
% a comment
@string{tacl = "Transactions of the ACL"}
@article{a, title = "{G}r{\"o}bner {BERT} \& \emph{more} of $\alpha$~values", author = {M{\"u}ller, J. and Ann van der Berg and others},
  journal = tacl, year = 2020, eprint = {2001.00001v2}, archivePrefix = {arXiv}, note = {Code: \url{https://github.com/a/b}}}
@article{broken, title = {No end
@inproceedings(c, title={Second}, month = mai, abstract={``Quoted'' text--with 5\% of \cite{a} words.})
"""


def test_bibtex(tmp_path: Path) -> None:
    """Braces, accents, macros, links and references of LaTeX are resolved; a broken entry costs itself alone."""
    (first, second), problems = papers_of(BIB, tmp_path)

    assert (first.title, first.authors) == ("Gröbner BERT & more of α values", ("J. Müller", "Ann van der Berg"))
    assert (first.id, first.venue, first.year, first.code) == (
        "arxiv:2001.00001",
        "Transactions of the ACL",
        2020,
        ("https://github.com/a/b",),
    )
    assert second.abstract == "“Quoted” text–with 5% of words."
    assert [(problem.position, isinstance(problem, InputWarning)) for problem in problems] == [("line 6", False)]


def test_openalex_inverted_abstract(tmp_path: Path) -> None:
    """Words return to their places, the word `Abstract` in front is dropped, wild positions do no harm."""
    index = {"Abstract": [0], "We": [1], "test": [2, 4], "a": [3], "end": [10**15], "bad": ["x", None, True]}
    work = {"id": "https://openalex.org/W7", "title": "On <i>it</i>", "abstract_inverted_index": index, "publication_year": 2020}
    (paper,), problems = papers_of(json.dumps({"meta": {}, "results": [work, {"id": "https://openalex.org/A1"}]}), tmp_path)

    assert (paper.id, paper.title, paper.abstract, problems) == ("openalex:W7", "On it", "We test a test end", [])


def test_acl_without_links(tmp_path: Path) -> None:
    """Formulas become Unicode, and papers without a link are named by collection, volume and number."""
    xml = """<collection id="P99"><volume id="1"><meta><year>1999</year></meta>
    <paper id="7"><title>On <tex-math>\\alpha</tex-math>-<b>nets</b></title>
    <author><first>A</first><last>B</last></author></paper><paper id="8"><author/></paper></volume></collection>"""
    (paper,), problems = papers_of(xml, tmp_path)

    assert (paper.id, paper.title, paper.year, paper.abstract) == ("acl:P99-1007", "On α-nets", 1999, "")
    assert [(problem.position, problem.problem, type(problem)) for problem in problems] == [("line 3", "no title, left out", InputWarning)]


@pytest.mark.parametrize(
    ("encoding", "warnings"), [("utf-8-sig", 0), ("utf-16", 0), ("utf-16-le", 0), ("utf-16-be", 0), ("utf-32", 0), ("cp1252", 1)]
)
def test_encodings(encoding: str, warnings: int, tmp_path: Path) -> None:
    """Byte order marks, wide encodings and Windows-1252 are understood; only the guess is a warning, with its line."""
    table = "id\ttitle\tabstract\na-1\tNaïve façade\tÜber Größe, “quoted”.\n"
    (paper,), problems = papers_of(table.encode(encoding), tmp_path)

    assert (paper.title, paper.abstract) == ("Naïve façade", "Über Größe, “quoted”.")
    assert [(type(problem), problem.position) for problem in problems] == [(InputWarning, "line 2")] * warnings


def test_xml_says_its_encoding(tmp_path: Path) -> None:
    """An encoding that XML declares is used, also for UTF-16."""
    for encoding in ("ISO-8859-1", "UTF-16"):
        xml = f"<?xml version='1.0' encoding='{encoding}'?><feed><entry><id>http://arxiv.org/abs/2001.00001v1</id><title>Größe</title></entry></feed>"
        (paper,), problems = papers_of(xml.encode(encoding), tmp_path)

        assert (paper.title, paper.id, problems) == ("Größe", "arxiv:2001.00001", [])


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_forced_format_never_fails_badly(row: object, shared: Path) -> None:
    """A file of another format that is forced upon a reader gives papers or problems, never a traceback."""
    for name in ("seeds/000_0bd3ae2c91058618.txt", "formats/bibtex/acl2022_no_abstracts.bib", "formats/openalex/authorJsonResponse.json"):
        problems: list[InputError] = []
        papers = list(read([shared / name], format=row.name, on_problem=problems.append))  # type: ignore[attr-defined]

        assert papers or problems


def test_unknown_format_is_named() -> None:
    """A format that is none of the table is refused at once with the names that are."""
    with pytest.raises(KgbuildError, match=r"unknown format 'docx' \(known formats: acl, .*venue\)"):
        read([], format="docx", on_problem=print)


def test_formats_have_a_row_in_the_docs(root: Path) -> None:
    """docs/formats.md has a row for every format of the table."""
    page = (root / "docs" / "formats.md").read_text(encoding="utf-8")

    assert [row.name for row in FORMATS if f"| `{row.name}` |" not in page] == []


def test_detection_ignores_names(shared: Path) -> None:
    """The format is told by content alone: the same bytes under any name."""
    data = (shared / "formats" / "acl_anthology_xml" / "J89.xml").read_bytes()
    found = detect(Input("paper.csv", io.BytesIO(data), print))

    assert found is not None
    assert found.name == "acl"
