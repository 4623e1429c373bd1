"""Documents -> the names of their entities, as DataFrames: what `resolution.resolver` does with counters, with the same functions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.ledger import extraction_from_json, paper_from_json
from kgbuild.resolution.decisions import Rules
from kgbuild.resolution.normalise import squash
from kgbuild.resolution.profile import Profile, word_set
from kgbuild.resolution.resolver import Resolver, Run, slips
from kgbuild.spark.frames import Row, Stages, join, map_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TEXT, LONG, FLAG = pa.string(), pa.int64(), pa.bool_()
STRINGS = pa.list_(pa.struct([("string", TEXT), ("count", LONG)]))
NAME = [("type", TEXT), ("key", TEXT)]
ENTITIES = pa.schema(
    [("id", TEXT), ("eid", TEXT), *NAME, ("surfaces", STRINGS), ("short", pa.list_(TEXT)), ("bare", FLAG), ("counted", FLAG),
     ("words", pa.list_(TEXT))]
)  # fmt: skip
NAMED = pa.schema([("id", TEXT), ("eid", TEXT), *NAME, ("letters", TEXT), ("surfaces", STRINGS)])
OPTIONS = pa.schema([*NAME, ("options", pa.list_(pa.struct([("long", TEXT), ("weight", pa.float64())])))])
WANTED = pa.schema([*NAME, ("long", TEXT)])
SLIPS = pa.schema([*NAME, ("to_type", TEXT), ("to_key", TEXT)])


def name_entities(documents: DataFrame, rules: Rules, stage: Stages) -> tuple[DataFrame, DataFrame]:
    """(entities with their names, names with the papers that have them and the strings that stand for them).

    documents: columns `id`, `paper` and `record`, the latter two as JSON.
    """
    from pyspark.sql import functions as fn

    entities = stage("entities", lambda: map_rows(documents.select("id", "paper", "record"), _profiles, ENTITIES))
    options = stage("options", lambda: _options(entities))
    named = stage("named", lambda: _named(entities, options, rules))
    moved = stage("slips", lambda: _slips(named, rules))
    settled = stage("settled", lambda: _settled(named, moved))
    by_name = settled.groupBy("type", "key")
    strings = (
        settled.select("type", "key", fn.explode("surfaces").alias("s"))
        .groupBy("type", "key", "s.string")
        .agg(fn.sum("s.count").alias("count"))
        .groupBy("type", "key")
        .agg(fn.collect_list(fn.struct("string", "count")).alias("strings"))
    )
    names = stage("names", lambda: by_name.agg(fn.countDistinct("id").alias("papers")).join(strings, ["type", "key"]))
    return settled, names


def _profiles(rows: Iterator[Row]) -> Iterator[Row]:
    """One row per entity; the words of its paper go along where they may tell what an abbreviation stands for."""
    profiler = Resolver().profiler
    for row in rows:
        paper = paper_from_json(json.loads(row["paper"]))
        profiles = profiler.profiles(paper, extraction_from_json(json.loads(row["record"]), paper.id))
        words = sorted(word_set(paper.text)) if any(profile.bare for profile in profiles.values()) else []
        for eid, profile in profiles.items():
            yield {
                "id": paper.id,
                "eid": eid,
                "type": profile.type,
                "key": profile.key,
                "surfaces": [{"string": string, "count": count} for string, count in profile.surfaces],
                "short": profile.short,
                "bare": profile.bare,
                "counted": profile.counted,
                "words": words if profile.bare else None,
            }


def _options(entities: DataFrame) -> DataFrame:
    """Long forms of every abbreviation that some paper leaves open: of other papers' definitions and of the vocabulary."""
    from pyspark.sql import functions as fn

    bare = entities.filter("bare").select("type", "key").distinct()
    names = entities.select("type", fn.col("key").alias("long")).distinct()
    # Of the vocabulary's long forms those count for more that some paper has as a name.
    present = (
        map_rows(bare, _wanted, WANTED).join(names, ["type", "long"], "left_semi").select("type", "key", "long", fn.lit(0).alias("count"))
    )
    defined = (
        entities.select("type", fn.explode("short").alias("key"), fn.col("key").alias("long"))
        .groupBy("type", "key", "long")
        .count()
        .join(bare, ["type", "key"], "left_semi")
    )
    itself = bare.select("type", "key", fn.lit(None).cast("string").alias("long"), fn.lit(0).alias("count"))
    evidence = itself.unionByName(present).unionByName(defined)
    grouped = evidence.groupBy("type", "key").agg(fn.collect_list(fn.struct("long", "count")).alias("evidence"))
    return map_rows(grouped, _candidates, OPTIONS)


def _wanted(rows: Iterator[Row]) -> Iterator[Row]:
    resolver = Resolver()
    for row in rows:
        for words, _ in resolver.vocabulary.expansions.get(squash(row["key"]), ()):
            yield {"type": row["type"], "key": row["key"], "long": resolver.profiler.key(row["type"], words)}


def _candidates(rows: Iterator[Row]) -> Iterator[Row]:
    """What the expander says of a ledger that holds just what concerns the abbreviation."""
    for row in rows:
        resolver, name = Resolver(), (row["type"], row["key"])
        for item in row["evidence"]:
            if item["count"]:
                resolver.ledger.shorts[name][item["long"]] += item["count"]
            elif item["long"] is not None:
                resolver.ledger.papers[row["type"], item["long"]] += 1
        options = resolver.expander.candidates(name)
        if options:
            # A list keeps the order, on which the last digit of a sum of weights depends.
            yield {"type": name[0], "key": name[1], "options": [{"long": long, "weight": weight} for long, weight in options.items()]}


def _named(entities: DataFrame, options: DataFrame, rules: Rules) -> DataFrame:
    from pyspark.sql import functions as fn

    columns = ["id", "eid", "type", "key", "surfaces", "bare", "counted", "words"]
    open_ = join(entities.filter("bare").select(columns), options, ["type", "key"])
    clear = entities.filter("not bare").select(columns).withColumn("options", fn.lit(None).cast(options.schema["options"].dataType))

    def name(rows: Iterator[Row]) -> Iterator[Row]:
        run = Run(Resolver().expander, rules)
        for row in rows:
            if row["bare"]:
                run.options[row["type"], row["key"]] = {option["long"]: option["weight"] for option in row["options"] or ()}
            surfaces = tuple((item["string"], item["count"]) for item in row["surfaces"])
            profile = Profile(row["type"], row["key"], surfaces, (), row["bare"], row["counted"])
            words = frozenset(row["words"] or ())
            found = run.name_of(row["id"], profile, lambda words=words: words)  # type: ignore[misc]
            if found:
                kept = {"id": row["id"], "eid": row["eid"], "surfaces": row["surfaces"]}
                yield kept | {"type": found[0], "key": found[1], "letters": squash(found[1])}

    return map_rows(clear.unionByName(open_), name, NAMED)


def _slips(named: DataFrame, rules: Rules) -> DataFrame:
    """Names of one type that nearly all papers use as another."""
    from pyspark.sql import functions as fn

    names = named.groupBy("letters", "type", "key").agg(fn.countDistinct("id").alias("papers"))
    grouped = names.groupBy("letters").agg(fn.collect_list(fn.struct("type", "key", "papers")).alias("names"))
    decided = rules.retyped

    def move(rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            papers = Counter({(item["type"], item["key"]): item["papers"] for item in row["names"]})
            for name, best in slips(papers, decided):
                yield dict(zip(("type", "key", "to_type", "to_key"), (*name, *best), strict=True))

    return map_rows(grouped.filter(fn.size("names") > 1), move, SLIPS)


def _settled(named: DataFrame, moved: DataFrame) -> DataFrame:
    from pyspark.sql import functions as fn

    if moved.isEmpty():
        return named.drop("letters")
    found = join(named.drop("letters"), moved, ["type", "key"])
    type_, key = fn.coalesce("to_type", "type").alias("type"), fn.coalesce("to_key", "key").alias("key")
    return found.select("id", "eid", type_, key, "surfaces")
