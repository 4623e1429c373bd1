"""A page that shows the worst papers of an evaluation, gold and prediction side by side, so that one sees what to mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from kgbuild.evaluation import MEASURES, Record, Scored, Scores, mentions
from kgbuild.records import ROLES

Span = tuple[int, int, str]

# Colours of the concept types by their place in the ontology.
HUES = (215, 145, 35, 285)
KINDS = ("found", "wrong type", "boundary", "missed", "spurious")
STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:15px/1.55 system-ui,sans-serif;max-width:1500px;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:0}
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.15rem .7rem .15rem 0;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
article{border:1px solid var(--line);border-radius:8px;padding:1rem 1.2rem;margin:1.2rem 0}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1.6rem}.pair h3{font-size:.8rem;
  text-transform:uppercase;letter-spacing:.06em;margin:.6rem 0 .2rem}
.text{white-space:pre-line}.meta{opacity:.7;font-size:.85rem}
mark{color:inherit;border-radius:3px;padding:0 .15em;background:hsl(var(--h) 80% 50%/.22)}
mark.missed,mark.spurious{outline:2px solid #d33}mark.boundary{outline:2px dashed #d80}mark.type{outline:2px dotted #b4c}
li.bad{color:#d33}ul{margin:.2rem 0;padding-left:1.1rem;font-size:.9rem}
@media(max-width:800px){.pair{grid-template-columns:1fr}}
"""


def page(
    papers: Sequence[Scored], gold: Mapping[str, Record], predicted: Mapping[str, Record], texts: Mapping[str, str], *, worst: int = 30
) -> str:
    """HTML that stands by itself: what kinds of errors there are, then the `worst` papers, most errors in entities and relations first.

    The records and texts are those that `papers` was scored from, by paper id.
    """
    from kgbuild.schema import load_schema

    hues = {name: HUES[number % len(HUES)] for number, name in enumerate(load_schema().concepts)}
    total = Scores()
    kinds: Counter[str] = Counter()
    for paper in papers:
        total.add(paper.scores)
        theirs, ours = _spans(gold, predicted, paper.id, texts)
        kinds.update(name for _, name in _judged(theirs, ours, "missed"))
        kinds.update(name for _, name in _judged(ours, theirs, "spurious") if name == "spurious")
    ranked = sorted(papers, key=lambda paper: (-_errors(paper), paper.id))[:worst]
    legend = " ".join(f'<mark style="--h:{hue}">{escape(name)}</mark>' for name, hue in hues.items())
    articles = "\n".join(_article(paper, gold, predicted, texts, hues) for paper in ranked if _errors(paper))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Errors of an extractor</title>
<style>{STYLE}</style></head><body>
<h1>Where gold and prediction differ: {len(ranked)} of {len(papers)} papers</h1>
{_summary(total, kinds)}
<p>{legend} <mark class="missed" style="--h:0">missed or spurious</mark> <mark class="boundary" style="--h:0">other boundary</mark>
<mark class="type" style="--h:0">other type</mark></p>
{articles}
</body></html>
"""


def _errors(paper: Scored) -> int:
    counts = [paper.scores.measures[name] for name in ("entity", "relation")]
    return sum(count.predicted + count.gold - 2 * count.right for count in counts)


def _summary(total: Scores, kinds: Mapping[str, int]) -> str:
    rows = "".join(f'<tr><td>{name}<td class="n">{100 * total.measures[name].f1:.1f}' for name in MEASURES)
    errors = "".join(f'<tr><td>{name}<td class="n">{kinds.get(name, 0)}' for name in KINDS)
    return (
        f'<div class="pair"><table><tr><th>measure<th class="n">F1</tr>{rows}</table>'
        f'<table><tr><th>mentions<th class="n">number</tr>{errors}</table></div>'
    )


def _spans(
    gold: Mapping[str, Record], predicted: Mapping[str, Record], id_: str, texts: Mapping[str, str]
) -> tuple[list[Span], list[Span]]:
    theirs = sorted(mentions(gold[id_], texts[id_]))
    return theirs, sorted(mentions(predicted[id_], texts[id_])) if id_ in predicted else []


def _judged(spans: Iterable[Span], others: Sequence[Span], alone: str) -> list[tuple[Span, str]]:
    """Each span with what became of it on the other side: one of KINDS, `alone` where nothing there touches it."""
    exact, places = set(others), {(start, end) for start, end, _ in others}
    judged = []
    for span in spans:
        start, end, _ = span
        touched = any(start < right and left < end for left, right in places)
        near = "wrong type" if (start, end) in places else "boundary" if touched else alone
        judged.append((span, "found" if span in exact else near))
    return judged


def _article(
    paper: Scored, gold: Mapping[str, Record], predicted: Mapping[str, Record], texts: Mapping[str, str], hues: Mapping[str, int]
) -> str:
    text = texts[paper.id]
    theirs, ours = _spans(gold, predicted, paper.id, texts)
    prediction = predicted.get(paper.id, {"entities": [], "relations": []})
    facts = _facts(gold[paper.id], lambda eid: eid), _facts(prediction, lambda eid: paper.matched.get(eid, f"?{eid}"))
    columns = (
        ("gold", _judged(theirs, ours, "missed"), facts[0], set(facts[1])),
        ("prediction", _judged(ours, theirs, "spurious"), facts[1], set(facts[0])),
    )
    figures = " · ".join(f"{name} {100 * paper.scores.measures[name].f1:.0f}" for name in MEASURES if paper.scores.measures[name].gold)
    body = "".join(
        f'<section><h3>{title}</h3><div class="text">{_marked(text, judged, hues)}</div><ul>'
        + "".join(
            f"<li{'' if key in known else ' class=bad'}>{escape(line)}</li>" for key, line in sorted(rows.items(), key=lambda row: row[1])
        )
        + "</ul></section>"
        for title, judged, rows, known in columns
    )
    head = f'<h2>{escape(text.partition(chr(10))[0])}</h2><div class="meta">{escape(paper.id)} · F1: {figures}</div>'
    return f'<article>{head}<div class="pair">{body}</div></article>'


def _marked(text: str, judged: Iterable[tuple[Span, str]], hues: Mapping[str, int]) -> str:
    """The text with its mentions marked; of overlapping ones the first."""
    parts, done = [], 0
    for (start, end, type_), verdict in judged:
        if start < done:
            continue
        look = {"wrong type": "type"}.get(verdict, verdict)
        mark = f'<mark class="{look}" style="--h:{hues.get(type_, 0)}" title="{escape(type_)}, {verdict}">{escape(text[start:end])}</mark>'
        parts += [escape(text[done:start]), mark]
        done = end
    return "".join(parts) + escape(text[done:])


def _facts(record: Record, named: Any) -> dict[tuple[Any, ...], str]:
    """Everything but the entities: what it is in the words of the gold record, and a line for people."""
    names = {entity["eid"]: entity.get("name") or entity["eid"] for entity in record["entities"]}
    facts: dict[tuple[Any, ...], str] = {}
    for head, label, tail in record["relations"]:
        facts[named(head), label, named(tail)] = f"{names.get(head, head)} {label} {names.get(tail, tail)}"
    for key in ("proposes", "addresses"):
        facts |= {(key, named(eid)): f"{key} {names.get(eid, eid)}" for eid in record.get(key, [])}
    for row in record.get("results", []):
        roles = {role: row.get(role) for role in ROLES}
        line = ", ".join(f"{role} {names.get(eid, eid)}" for role, eid in roles.items() if eid)
        compared = (named(roles[role]) if roles[role] else None for role in ("metric", "method", "dataset"))
        facts["result", str(row["value"]), *compared] = f"result {row['value']} {row.get('unit') or ''} ({row.get('kind')}): {line}"
    return facts
