"""The network: one encoder pass, then spans, nodes, strings and pairs. Torch lives here and nowhere in the package.

Shapes: B documents, T pieces, W words, L widths, N nodes (mentions and numbers), S strings, E entities (with numbers), D hidden.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from kgbuild.extraction.features import MAX_WIDTH, PAIR_FEATURES, SHAPES

LABELS = 10  # no relation, then the concept relations
ROLES = 5
KINDS = 4


@dataclass(frozen=True)
class Size:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocab: int
    positions: int
    mpnet: bool = False
    span: int = 256
    node: int = 256


def _rounded(x: Tensor, per_row: bool) -> Tensor:
    """x as int8 would keep it, gradients straight through: weights symmetric by row, inputs by the least and greatest of all."""
    with torch.no_grad():
        y = x.float()
        if per_row:
            step = y.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
            kept = torch.round(y / step) * step
        else:
            low, high = y.min().clamp(max=0), y.max().clamp(min=0)
            step = ((high - low) / 255).clamp(min=1e-8)
            kept = torch.round(y / step) * step
        change = (kept - y).to(x.dtype)
    return x + change


class Layer(nn.Module):
    """A post-norm transformer layer with plain matmul attention: on this CPU twice as fast to train as the fused one.

    No dropout on the attention weights: drawing it took a seventh of a training step.
    """

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.heads = size.heads
        self.qkv = nn.Linear(size.hidden, 3 * size.hidden)
        self.out = nn.Linear(size.hidden, size.hidden)
        self.norm1 = nn.LayerNorm(size.hidden, eps=1e-12)
        self.up = nn.Linear(size.hidden, size.inner)
        self.down = nn.Linear(size.inner, size.hidden)
        self.norm2 = nn.LayerNorm(size.hidden, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.int8 = False  # train with the errors that int8 will make

    def _linear(self, layer: nn.Linear, x: Tensor) -> Tensor:
        return F.linear(_rounded(x, False), _rounded(layer.weight, True), layer.bias) if self.int8 and self.training else layer(x)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self._linear(self.qkv, x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).contiguous()
        with torch.autocast("cpu", enabled=False):  # autocast would lift the softmax to float32, at twice the time
            scores = (q / math.sqrt(width // self.heads)) @ k.transpose(-1, -2) + bias.to(q.dtype)
            mixed = torch.softmax(scores, dim=-1) @ v
        x = self.norm1(x + self.dropout(self._linear(self.out, mixed.transpose(1, 2).reshape(batch, length, width))))
        return self.norm2(x + self.dropout(self._linear(self.down, F.gelu(self._linear(self.up, x)))))


class Encoder(nn.Module):
    """BERT or MPNet with an extra embedding of word shapes, which brings back the case that the vocabulary drops."""

    def __init__(self, size: Size, dropout: float = 0.1) -> None:
        super().__init__()
        self.size = size
        self.word = nn.Embedding(size.vocab, size.hidden)
        self.position = nn.Embedding(size.positions, size.hidden)
        self.shape = nn.Embedding(SHAPES, size.hidden)
        nn.init.zeros_(self.shape.weight)
        self.norm = nn.LayerNorm(size.hidden, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(size, dropout) for _ in range(size.layers))
        self.relative = nn.Embedding(32, size.heads) if size.mpnet else None

    def forward(self, pieces: Tensor, shapes: Tensor, mask: Tensor) -> Tensor:
        index = torch.arange(pieces.shape[1], device=pieces.device)
        x = self.word(pieces) + self.position(index + (2 if self.size.mpnet else 0)) + self.shape(shapes)
        x = self.dropout(self.norm(x))
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        if self.relative is not None:
            bias = bias + self.relative(_buckets(index)).permute(2, 0, 1)[None]
        for layer in self.layers:
            x = layer(x, bias)
        return x


def _buckets(index: Tensor) -> Tensor:
    """MPNet's relative position buckets (T5's scheme: 32 buckets, distances up to 128)."""
    n = index[:, None] - index[None, :]
    side = (n < 0).long() * 16
    n = n.abs()
    far = 8 + (torch.log(n.clamp(min=1).float() / 8) / math.log(128 / 8) * 8).long()
    return side + torch.where(n < 8, n, far.clamp(max=15))


def pretrained(folder: Path, dropout: float = 0.1) -> Encoder:
    """The encoder with the weights of a sentence-transformers folder (BERT or MPNet names)."""
    config = json.loads((folder / "config.json").read_text())
    mpnet = config["model_type"] == "mpnet"
    size = Size(
        config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"], config["intermediate_size"],
        config["vocab_size"], config["max_position_embeddings"], mpnet,
    )  # fmt: skip
    raw = {k.removeprefix("bert.").removeprefix("mpnet."): v.float() for k, v in load_file(folder / "model.safetensors").items()}
    encoder = Encoder(size, dropout)
    state = {
        "word.weight": raw["embeddings.word_embeddings.weight"],
        "position.weight": raw["embeddings.position_embeddings.weight"],
        "shape.weight": encoder.shape.weight.detach(),
        "norm.weight": raw["embeddings.LayerNorm.weight"],
        "norm.bias": raw["embeddings.LayerNorm.bias"],
    }
    if not mpnet:  # every piece has token type 0
        state["position.weight"] = state["position.weight"] + raw["embeddings.token_type_embeddings.weight"][0]
    else:
        state["relative.weight"] = raw["encoder.relative_attention_bias.weight"]
    names = ("attention.attn.q", "attention.attn.k", "attention.attn.v") if mpnet else (
        "attention.self.query", "attention.self.key", "attention.self.value")  # fmt: skip
    rest = {"out": "attention.attn.o" if mpnet else "attention.output.dense", "up": "intermediate.dense", "down": "output.dense",
            "norm1": "attention.LayerNorm" if mpnet else "attention.output.LayerNorm", "norm2": "output.LayerNorm"}  # fmt: skip
    for i in range(size.layers):
        source, target = f"encoder.layer.{i}.", f"layers.{i}."
        for part in ("weight", "bias"):
            state[f"{target}qkv.{part}"] = torch.cat([raw[f"{source}{name}.{part}"] for name in names])
            for ours, theirs in rest.items():
                state[f"{target}{ours}.{part}"] = raw[f"{source}{theirs}.{part}"]
    encoder.load_state_dict(state)
    return encoder


def _gather(x: Tensor, index: Tensor) -> Tensor:
    """x (B, W, D), index (B, ...) -> (B, ..., D)."""
    flat = index.reshape(index.shape[0], -1)
    return torch.gather(x, 1, flat[..., None].expand(-1, -1, x.shape[-1])).view(*index.shape, x.shape[-1])


def _sums(x: Tensor) -> Tensor:
    """Prefix sums with a leading zero: (B, W, D) -> (B, W + 1, D), in float32 since bf16 loses them."""
    return F.pad(x.float().cumsum(1), (0, 0, 1, 0))


class Spans(nn.Module):
    """Scores every span of up to MAX_WIDTH words from its ends, its mean and its width."""

    def __init__(self, size: Size, types: int, schemes: dict[str, int], dropout: float) -> None:
        super().__init__()
        self.start = nn.Linear(size.hidden, size.span)
        self.end = nn.Linear(size.hidden, size.span)
        self.inside = nn.Linear(size.hidden, 64, bias=False)  # narrow: this is gathered for every span
        self.spread = nn.Linear(64, size.span, bias=False)
        self.width = nn.Embedding(MAX_WIDTH, size.span)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(size.span, types + 1)
        self.schemes = nn.ModuleDict({name: nn.Linear(size.span, n + 1) for name, n in schemes.items()})
        for head in (self.score, *self.schemes.values()):
            nn.init.constant_(head.bias[:1], 6.0)  # one span in some hundreds is a mention: begin there

    def hidden(self, words: Tensor, first: Tensor, width: Tensor) -> Tensor:
        """Representation of the spans [first, first + width], (B, ..., span); width counts words less one."""
        last = first + width
        words = self.dropout(words)
        sums = _sums(self.inside(words))
        mean = ((_gather(sums, last + 1) - _gather(sums, first)) / (width + 1).unsqueeze(-1)).to(words.dtype)
        return F.gelu(_gather(self.start(words), first) + _gather(self.end(words), last) + self.spread(mean) + self.width(width))

    def forward(self, words: Tensor) -> Tensor:
        """(B, W, L, span): the same as `hidden` for all spans, ends beyond the text clamped."""
        count = words.shape[1]
        first = torch.arange(count, device=words.device)[:, None].expand(count, MAX_WIDTH)
        last = torch.minimum(first + torch.arange(MAX_WIDTH, device=words.device)[None], torch.full_like(first, count - 1))
        width = last - first
        words = self.dropout(words)
        sums = _sums(self.inside(words))
        mean = ((sums[:, last + 1] - sums[:, first]) / (width + 1)[..., None]).to(words.dtype)
        ends = self.end(words)[:, last] + self.width(width).to(words.dtype)
        return F.gelu(self.start(words)[:, :, None] + ends + self.spread(mean))

    def logits(self, hidden: Tensor, scheme: str | None = None) -> Tensor:
        """Type scores; class 0 is no mention."""
        return self.score(hidden) if scheme is None else self.schemes[scheme](hidden)


class NodeLayer(nn.Module):
    """Nodes look at the words and at one another."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.query = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.key = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.value = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.out = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def _attend(self, i: int, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        def split(t: Tensor) -> Tensor:
            return t.view(t.shape[0], t.shape[1], self.heads, t.shape[2] // self.heads).transpose(1, 2)

        q, k, v = split(self.query[i](x)), split(self.key[i](memory)), split(self.value[i](memory))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        mixed = (torch.softmax(scores, -1) @ v).transpose(1, 2)
        return self.dropout(self.out[i](mixed.reshape(mixed.shape[0], mixed.shape[1], -1)))

    def forward(self, x: Tensor, mask: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        x = x + self._attend(0, self.norms[0](x), memory, memory_mask)
        y = self.norms[1](x)
        x = x + self._attend(1, y, y, mask)
        return x + self.dropout(self.down(F.gelu(self.up(self.norms[2](x)))))


class Nodes(nn.Module):
    """Mentions and numbers in context, and whether two strings name one thing."""

    def __init__(self, size: Size, types: int, dropout: float) -> None:
        super().__init__()
        width = size.node
        self.enter = nn.Linear(size.span, width)
        self.kind = nn.Embedding(types + 1, width)
        self.memory = nn.Linear(size.hidden, width)
        self.layers = nn.ModuleList(NodeLayer(width, 4, dropout) for _ in range(2))
        self.norm = nn.LayerNorm(width)
        self.left = nn.Linear(width, 128)
        self.product = nn.Linear(width, 128, bias=False)
        self.features = nn.Linear(PAIR_FEATURES, 128)
        self.same = nn.Linear(128, 1)
        self.direct = nn.Linear(PAIR_FEATURES, 1)
        nn.init.constant_(self.same.bias, -3.0)

    def forward(self, spans: Tensor, types: Tensor, mask: Tensor, words: Tensor, word_mask: Tensor) -> Tensor:
        memory = self.memory(words)
        x = self.enter(spans) + self.kind(types)
        for layer in self.layers:
            x = layer(x, mask, memory, word_mask)
        return self.norm(x)

    def strings(self, nodes: Tensor, pool: Tensor, features: Tensor) -> Tensor:
        """Logits that strings are one entity, (B, S, S); pool (B, S, N) has rows that sum to one."""
        x = pool.to(nodes.dtype) @ nodes
        left = self.left(x)
        pairs = left[:, :, None] + left[:, None] + self.product(x[:, :, None] * x[:, None]) + self.features(features)
        return (self.same(F.gelu(pairs)) + self.direct(features)).squeeze(-1)


class Pairs(nn.Module):
    """Relations between entities, roles of entities in results, and what the paper proposes and addresses."""

    def __init__(self, size: Size, types: int, dropout: float, labels: int = LABELS) -> None:
        super().__init__()
        width = size.node
        self.heads = 4
        self.enter = nn.Linear(2 * width, width)
        self.count = nn.Embedding(6, width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(size.hidden, width)
        self.value = nn.Linear(size.hidden, width)
        self.head = nn.Linear(width, width)
        self.tail = nn.Linear(width, width)
        self.product = nn.Linear(width, width, bias=False)
        self.between = nn.Linear(size.hidden, width, bias=False)
        self.context = nn.Linear(width, width, bias=False)
        self.distance = nn.Embedding(56, width)
        self.types = nn.Embedding((types + 1) ** 2, width)
        self.dropout = nn.Dropout(dropout)
        self.row = nn.Linear(width, width)
        self.column = nn.Linear(width, width)
        self.own = nn.Linear(width, width)
        self.score = nn.Linear(width, labels + ROLES)
        self.unary = nn.Linear(3 * width, width)
        self.unary_score = nn.Linear(width, 2 + KINDS)
        self.kinds = types + 1
        # what is rare begins as rare: a rate of 1e-3 would take thousands of steps to move a bias there
        nn.init.constant_(self.score.bias[:1], 3.0)
        nn.init.constant_(self.score.bias[labels:], -5.0)
        nn.init.constant_(self.unary_score.bias[:2], -2.0)

    def forward(
        self, nodes: Tensor, pool: Tensor, members: Tensor, types: Tensor, counts: Tensor, mask: Tensor,
        words: Tensor, word_mask: Tensor, distance: Tensor, between: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Pair logits (B, E, E, LABELS + ROLES) and unary logits (B, E, 2 + KINDS).

        pool: (B, E, N) rows sum to one; members: (B, E, N) 0/1; types, counts: (B, E) ids; between: (B, E, E, 2) word ranges.
        """
        mean = pool.to(nodes.dtype) @ nodes
        top = (nodes[:, None] + (members[..., None].to(nodes.dtype) - 1.0) * 1e4).amax(2)
        top = torch.where(mask[..., None], top, torch.zeros_like(top))
        x = self.enter(torch.cat([mean, top], -1)) + self.count(counts)
        batch, entities, width = x.shape
        q = self.query(x).view(batch, entities, self.heads, -1).transpose(1, 2)
        k = self.key(words).view(batch, words.shape[1], self.heads, -1).transpose(1, 2)
        scores = (q @ k.transpose(-1, -2)).float() / math.sqrt(width // self.heads) + (1.0 - word_mask[:, None, None, :].float()) * -1e4
        look = torch.softmax(scores, -1)
        shared = torch.einsum("bhiw,bhjw->bijw", look, look)
        shared = (shared / (shared.sum(-1, keepdim=True) + 1e-6)).to(x.dtype)
        context = torch.einsum("bijw,bwd->bijd", shared, self.value(words))
        sums = _sums(self.between(words))
        length = (between[..., 1] - between[..., 0]).clamp(min=1)[..., None]
        middle = ((_gather(sums, between[..., 1]) - _gather(sums, between[..., 0])) / length).to(x.dtype)
        kind = types[:, :, None] * self.kinds + types[:, None]
        g = self.head(x)[:, :, None] + self.tail(x)[:, None] + self.product(x[:, :, None] * x[:, None]) + self.context(context) + middle
        g = self.dropout(F.gelu(g + self.distance(distance) + self.types(kind)))
        hide = (mask[..., None].to(g.dtype) - 1.0) * 1e4
        row = (g + hide[:, None]).amax(2)
        column = (g + hide[:, :, None]).amax(1)
        g = g + self.dropout(F.gelu(self.own(g) + self.row(row)[:, :, None] + self.column(column)[:, None]))
        unary = self.dropout(F.gelu(self.unary(torch.cat([x, row, column], -1))))
        return self.score(g), self.unary_score(unary)


class Network(nn.Module):
    """All of it; `types` counts the concept types, `schemes` the labels of the auxiliary corpora."""

    def __init__(self, encoder: Encoder, types: int, schemes: dict[str, int], dropout: float = 0.2, labels: int = LABELS) -> None:
        super().__init__()
        self.encoder = encoder
        self.spans = Spans(encoder.size, types, schemes, dropout)
        self.nodes = Nodes(encoder.size, types, dropout)
        self.pairs = Pairs(encoder.size, types, dropout, labels)

    def words(self, pieces: Tensor, shapes: Tensor, mask: Tensor, word_piece: Tensor) -> Tensor:
        """Word representations, (B, W, D): the first piece of each word."""
        return _gather(self.encoder(pieces, shapes, mask), word_piece)
