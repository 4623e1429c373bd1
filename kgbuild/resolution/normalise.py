"""Names as people write them -> keys under which spellings of one name are equal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kgbuild.schema import ontology_path

Tokens = tuple[str, ...]

_MARKUP = re.compile(r"\\(?:text|math)?(?:it|bf|sc|tt|rm|sf|em|emph|textit|textbf|texttt|textsc|mathrm|mathbf|xspace)\b|[${}`'\"“”‘’\\]")
_SPLIT = re.compile(r"[\s\-‐-―_/|:,;()\[\]~]+|(?<!\d)\.|\.(?!\d)")
_ACRONYM = re.compile(r"(?=(?:.*[A-Z]){2})[A-Za-z0-9][A-Za-z0-9.+*&/-]{1,11}")
_PROPER = re.compile(r"[a-z0-9].*[A-Z]|[A-Z].*[A-Z]|\d")
_PAIR = re.compile(r"^\w+ (?:and|or|&) \w+(?: \w+)?$", re.IGNORECASE)
_KEEP_S = re.compile(r"(?:ss|us|is|os|as|ics|series|species|news|lens|atlas|adas|keras|always|less)$")
_AMERICAN = (
    (re.compile(r"isation(s?)$"), r"ization\1"),
    (re.compile(r"(?<=[a-z]{3})ise(d|r|rs|s)?$"), r"ize\1"),
    (re.compile(r"(?<=[a-z]{3})ising$"), "izing"),
    (re.compile(r"([dl])elling$"), r"\1eling"),
    (re.compile(r"([dl])elled$"), r"\1eled"),
    (re.compile(r"^(neighb|behavi|col|fav)our"), r"\1or"),
    (re.compile(r"^centre"), "center"),
    (re.compile(r"^(ana|cata)lyse"), r"\1lyze"),
    (re.compile(r"^grey(?=$|scale)"), "gray"),
)
_DROPPED = frozenset(("a", "an", "the", "and", "&", "our", "its", "their"))


@dataclass(frozen=True, slots=True)
class Words:
    """What `ontology/resolution.yaml` says about words; see there."""

    heads: Mapping[str, frozenset[str]]
    repeated: Mapping[str, frozenset[str]]
    generic: Mapping[str, frozenset[str]]
    evaluative: frozenset[str]
    synonyms: Mapping[str, str]
    inside: Mapping[str, Tokens]
    irregular: Mapping[str, str]
    not_ize: frozenset[str]
    whole: frozenset[str]
    apart: tuple[frozenset[str], ...]
    unnamed: frozenset[str]
    cross: frozenset[str]


@cache
def load_words() -> Words:
    """The word lists, read once."""
    import yaml

    with ontology_path("resolution.yaml").open(encoding="utf-8") as stream:
        raw = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    heads, repeated, generic = ({name: frozenset(row) for name, row in raw[part].items()} for part in ("heads", "repeated", "generic"))
    synonyms = {word: row[0] for row in raw["synonyms"] for word in row[1:]}
    inside = {short: tuple(long.split()) for short, long in raw["inside"].items()}
    return Words(
        heads=heads,
        repeated=repeated,
        generic=generic,
        evaluative=frozenset(raw["evaluative"]),
        synonyms=synonyms,
        inside=inside,
        irregular=raw["irregular"],
        not_ize=frozenset(raw["not_ize"]),
        whole=frozenset(raw["whole"]),
        apart=tuple(map(frozenset, raw["apart"])),
        unnamed=frozenset(raw["unnamed"]),
        cross=frozenset(raw["cross"]),
    )


@cache
def singular(word: str) -> str:
    """The singular of a lower-case English word; words that only look like plurals stay."""
    irregular = load_words().irregular
    if word in irregular:
        return irregular[word]
    if len(word) < 4 or not word.endswith("s") or _KEEP_S.search(word):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


@cache
def american(word: str) -> str:
    """American spelling of a lower-case word."""
    base = re.sub(r"ing$", "e", re.sub(r"(?<=e)(?:d|rs?|s)$", "", word))
    if base not in load_words().not_ize and not word.endswith("wise"):
        for pattern, spelling in _AMERICAN:
            word = pattern.sub(spelling, word)
    return word


@cache
def _token(token: str) -> str:
    if re.fullmatch(r"[A-Z][A-Z0-9]*s", token) or re.fullmatch(r"(?=.*[A-Z].*[A-Z])[A-Za-z0-9]+[A-Z0-9]s", token):
        return token[:-1].lower()  # LLMs, ConvNeXts stay names, without the plural
    return singular(american(token.lower()))


def tokens(name: str) -> Tokens:
    """Words of a name: lower case, singular, American, without markup, accents, articles and `and`."""
    plain = _unaccented(_MARKUP.sub("", name))
    found = tuple(_token(part) for part in _SPLIT.split(plain) if part)
    kept = tuple(word for word in found if word not in _DROPPED)
    return kept or found


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def is_acronym(name: str) -> bool:
    """Whether the name looks like an abbreviation: one short word with two capitals or more."""
    return _ACRONYM.fullmatch(name.removesuffix("s")) is not None


def is_proper(name: str) -> bool:
    """Whether the name is written like a proper name: capitals inside a word, or digits."""
    return any(_PROPER.search(word) for word in re.split(r"[\s-]+", name))


def key(type_: str, name: str) -> str:
    """The key of a name of a type; equal keys of one type mean the same name."""
    words = load_words()
    parts = tokens(name)
    while len(parts) > 1 and parts[0] in words.evaluative:
        parts = parts[1:]
    heads = words.heads.get(type_, frozenset())
    repeated = words.repeated.get(type_, frozenset())
    while len(parts) > 1 and (parts[-1] in repeated or (parts[-1] in heads and _is_name(name, len(parts) - 1))):
        parts = parts[:-1]
    if len(parts) == 2 and _PAIR.search(name):
        parts = (parts[0], "and", parts[1])  # `language and vision tasks` are tasks of either kind, `vision-and-language tasks` of both
    if len(parts) > 1:
        parts = tuple(word for part in parts for word in words.inside.get(part, (part,)))
    parts = _network(parts)
    return " ".join(words.synonyms.get(part, part) for part in parts)


def _is_name(name: str, count: int) -> bool:
    """Whether the first `count` words are one proper name: every one of them is written like one."""
    split = [part for part in _SPLIT.split(name) if part][:count]
    return bool(split) and all(_PROPER.search(part) for part in split[-1:]) and len(split) <= 3


def _network(parts: Tokens) -> Tokens:
    """`convolutional NN`, `convolutional neural network` and `convolutional network` are the same; a Bayesian network is another thing."""
    if len(parts) > 1 and len(parts[0]) > 1 and parts[-1] in ("nn", "net") and not parts[0].startswith("bayes"):
        parts = (*parts[:-1], "neural", "network") if parts[-1] == "nn" else (*parts[:-1], "network")
    if parts == ("nn",):
        return ("neural", "network")
    if len(parts) > 2 and parts[-2:] == ("neural", "network") and parts[0] not in ("bayesian", "artificial", "deep"):
        return (*parts[:-2], "network")
    return parts


def squash(key_: str) -> str:
    """The key without blanks, except between figures, so that `ms coco` equals `mscoco` but `gpt 3 5` not `gpt 35`."""
    return re.sub(r"(?<!\d) | (?!\d)", "", key_)


def slug(name: str) -> str:
    """The name as part of an identifier: lower case, hyphens between words, letters of any script, `+` kept as `plus`."""
    plain = _unaccented(_MARKUP.sub("", name)).casefold().replace("+", " plus ").replace("#", " sharp ")
    return "-".join(re.findall(r"[^\W_]+(?:\.\d+)*", plain)) or "unnamed"
