"""Extraction by several processes: the model is loaded once in each, work is handed out in small batches, a crash costs one paper."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from kgbuild.errors import KgbuildError
from kgbuild.extraction import Extractor
from kgbuild.records import Extraction, Paper

BATCH = 32  # papers that a worker gets at a time
FAILED_STARTS = 3  # workers that died while starting, after which there is no point in going on

LoadExtractor = Callable[[], Extractor]
Outcome = tuple[Paper, Extraction | str]  # the extraction, or what went wrong in one line


def extract(papers: Iterable[Paper], load: LoadExtractor, workers: int = 1) -> Iterator[Outcome]:
    """Extract from every paper, in any order; a paper that fails is given with what went wrong, and the rest goes on.

    load: makes the extractor; called once in each worker, so it must pickle where `workers` is above 1. With one worker nothing is
    started and the work is done here. Raises KgbuildError where workers cannot start. Memory is bounded whatever comes in.
    """
    if workers <= 1:
        extractor, queue = load(), iter(papers)
        while batch := list(islice(queue, BATCH)):
            yield from extract_batch(extractor, batch)
        return
    pool = _Pool(load, workers)
    try:
        yield from pool.run(iter(papers))
    finally:
        pool.stop()


def extract_batch(extractor: Extractor, batch: list[Paper]) -> Iterator[Outcome]:
    """Extract from a batch; where that raises, from each of the remaining papers by itself, to name the one at fault."""
    done = 0
    try:
        for paper, extraction in zip(batch, extractor.extract(batch), strict=True):
            yield paper, extraction
            done += 1
    except Exception as error:
        if len(batch) == 1:
            yield batch[0], f"{type(error).__name__}: {error}".partition("\n")[0]
            return
        for paper in batch[done:]:
            yield from extract_batch(extractor, [paper])


def _work(load: LoadExtractor, pipe: Connection) -> None:
    """The life of a worker: None when it is ready for a batch, then its outcomes one by one, until the pipe closes."""
    try:
        extractor = load()
        pipe.send(None)
        while True:
            for _, outcome in extract_batch(extractor, pipe.recv()):
                pipe.send(outcome)
            pipe.send(None)
    except (EOFError, OSError, KeyboardInterrupt):
        return
    except KgbuildError as error:
        pipe.send(error)


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    batch: deque[Paper] = field(default_factory=deque)  # what it was given and has not answered yet
    started: bool = False
    idle: bool = False

    def give(self, batch: list[Paper]) -> None:
        self.batch, self.idle = deque(batch), False
        with suppress(OSError):  # it has died, which the next message from it, or the lack of one, tells
            self.pipe.send(batch)


class _Pool:
    """Processes that get a batch when they ask for one: neither end ever sends while the other does, and nothing piles up."""

    def __init__(self, load: LoadExtractor, workers: int) -> None:
        self.load = load
        # Threads of numeric libraries do not survive a fork.
        self.context = multiprocessing.get_context("spawn")
        self.failed_starts = 0
        # After a crash the papers of its batch go out again one by one: the one that takes a worker down alone is named.
        self.again: deque[Paper] = deque()
        self.workers = [self._start() for _ in range(workers)]

    def _start(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=_work, args=(self.load, theirs), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def run(self, papers: Iterator[Paper]) -> Iterator[Outcome]:
        """Outcomes as they come, until every paper has one."""
        batch = self._next(papers)
        while batch or any(worker.batch for worker in self.workers):
            for worker in self.workers:
                if batch and worker.idle:
                    worker.give(batch)
                    batch = self._next(papers)
            ready = wait([worker.pipe for worker in self.workers if not worker.idle])
            for worker in [worker for worker in self.workers if worker.pipe in ready]:
                yield from self._receive(worker)
            batch = batch or self._next(papers)

    def _next(self, papers: Iterator[Paper]) -> list[Paper]:
        return [self.again.popleft()] if self.again else list(islice(papers, BATCH))

    def _receive(self, worker: _Worker) -> Iterator[Outcome]:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._replace(worker)
            return
        if isinstance(message, KgbuildError):
            raise message
        if message is None:
            worker.started = worker.idle = True
            self.failed_starts = 0
        else:
            yield worker.batch.popleft(), message

    def _replace(self, worker: _Worker) -> Iterator[Outcome]:
        """A worker has died: start another, and name the paper where it was alone with one, else give its papers out singly."""
        worker.process.join()
        worker.pipe.close()
        how = f"exit code {worker.process.exitcode}"
        self.failed_starts += not worker.started
        if self.failed_starts > FAILED_STARTS:
            hint = 'try --workers 1, which shows why; scripts need their calls under `if __name__ == "__main__":`'
            raise KgbuildError(f"extraction workers die while they start ({how})", hint)
        self.workers[self.workers.index(worker)] = self._start()
        if len(worker.batch) == 1:
            yield worker.batch.popleft(), f"the extraction worker died on it ({how})"
        self.again.extend(worker.batch)

    def stop(self) -> None:
        """Close the pipes, which ends the workers; those that do not listen are killed."""
        for worker in self.workers:
            worker.pipe.close()
        for worker in self.workers:
            worker.process.join(timeout=1)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
