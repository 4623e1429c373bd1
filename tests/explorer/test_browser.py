"""The explorer in a real browser: every test opens the page as a person would, and none may complain or call outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgbuild.explorer import write_page
from kgbuild.graph import Graph

Visit = Callable[..., Any]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'`${7*7}"


def move(page: Any, address: str) -> None:
    """Follow a link inside the page."""
    page.evaluate("address => { location.hash = address }", address)
    page.wait_for_selector(f'html[data-ready="{address}"]')


def test_search_answers_while_typing_and_opens_the_node(small_page: Path, visit: Visit) -> None:
    """Typing part of a name lists it, arrows and Enter open its panel, and the address names the node."""
    page = visit(small_page)
    page.keyboard.press("/")
    page.keyboard.type("evolved")
    assert "Evolved Transformer" in page.locator("#hits [role=option]").first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel h2:has-text('Evolved Transformer')")
    assert page.evaluate("location.hash").startswith("#/node/method%3Aevolved-transformer")


def test_search_knows_aliases_words_and_misspellings(small_page: Path, visit: Visit) -> None:
    """Words in any place, ids of papers' titles and a wrong letter find the thing; nonsense says that nothing is there."""
    page = visit(small_page)
    for typed, found in (
        ("translation machine", "machine translation"),
        ("tansformer", "Transformer"),
        ("attention is", "Attention Is All You Need"),
    ):
        page.fill("#search", typed)
        assert found in page.locator("#hits [role=option]").first.inner_text()
    page.fill("#search", "zzzzqqqq")
    assert "Nothing" in page.locator("#hits").inner_text()


def test_a_click_leads_to_the_sentence_with_both_ends_marked(small_page: Path, visit: Visit) -> None:
    """The panel groups statements; opening one shows its sentence, the two things marked, and a link to the paper outside."""
    page = visit(small_page, "#/node/method%3Atransformer")
    section = page.locator(".panel section", has_text="compared with")
    section.locator("button.show").click()
    section.locator(".sentence").first.wait_for()
    marks = page.locator(".panel .sentence", has_text="ConvS2S").locator("mark").all_inner_texts()
    assert "ConvS2S" in marks
    used = page.locator(".panel section", has_text="used for").locator(".sentence").first
    used.wait_for()
    assert set(used.locator("mark").all_inner_texts()) == {"Transformer", "machine translation"}
    links = page.locator(".panel a.outside").evaluate_all("links => links.map(link => [link.protocol, link.rel])")
    assert links
    assert all(protocol == "https:" and "noopener" in rel for protocol, rel in links)


def test_a_node_on_the_map_can_be_clicked(small_page: Path, visit: Visit) -> None:
    """A click in the middle of the map, where a link has moved the node, opens its panel again after it was closed."""
    page = visit(small_page, "#/node/method%3Atransformer", reduced_motion="reduce")
    page.wait_for_selector(".canvas[data-drawn]")
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    page.wait_for_selector(".panel h2:has-text('What this graph is about')")
    box = page.locator(".canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".panel[aria-label='Transformer']")


def test_filters_narrow_and_stand_in_the_address(small_page: Path, visit: Visit) -> None:
    """Type, relation, year and belief filters change what is listed, and a link with them opens the same state."""
    page = visit(small_page, "#/list")
    rows = page.locator("table.rows tbody tr")
    before = rows.count()
    page.uncheck("#type-Method")
    assert 0 < rows.count() < before
    assert "Transformer" not in page.locator("table.rows tbody").inner_text()
    address = page.evaluate("location.hash")
    again = visit(small_page, address)
    assert not again.is_checked("#type-Method")
    assert again.locator("table.rows tbody tr").count() == rows.count()
    move(page, "#/list?from=2018&to=2019")
    assert "Evolved Transformer" in page.locator("table.rows").inner_text()
    assert "ConvS2S" not in page.locator("table.rows").inner_text()
    move(page, "#/node/method%3Atransformer?relations=COMPARED_WITH")
    heads = page.locator(".panel section h3").all_inner_texts()
    assert len(heads) == 1
    assert heads[0].startswith("compared with")
    move(page, "#/list?belief=0.9")
    assert page.locator("#belief").input_value() == "90"


def test_leaderboard_sorts_and_shows_its_sentences(small_page: Path, visit: Visit) -> None:
    """The board of WMT and BLEU lists the three values, best first, sorts by its headers and shows a value's sentence and a plot."""
    page = visit(small_page, "#/leaderboards")
    page.locator("a.board", has_text="WMT2014").first.click()
    page.wait_for_selector("a.board[aria-current]")
    values = page.locator("button.value")
    assert values.all_inner_texts() == ["29.8", "28.4", "25.2"]
    page.get_by_role("button", name="Value").click()
    assert values.all_inner_texts() == ["25.2", "28.4", "29.8"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="Method").click()
    assert [name.split("(")[0].strip() for name in page.locator("tbody tr td:nth-child(2)").all_inner_texts()] == [
        "ConvS2S",
        "Evolved Transformer",
        "Transformer",
    ]
    values.first.click()
    sentence = page.locator("tr.under blockquote").first
    sentence.wait_for()
    assert sentence.locator("mark.value").inner_text() == "25.2"
    assert page.locator("svg.plot circle").count() == 3
    assert "best 29.8" in page.locator("svg.plot").get_attribute("aria-label")


def test_paper_view_marks_its_abstract(small_page: Path, visit: Visit) -> None:
    """The abstract shows what was found in it by type, offsets hold after signs beyond the basic plane, LaTeX remains are gone."""
    page = visit(small_page, "#/paper/1705.03122")
    marks = page.locator(".abstract mark").all_inner_texts()
    assert marks == ["ConvS2S", "machine translation", "WMT 2014 English-German", "ConvS2S", "25.2", "BLEU"]
    assert "🚀" in page.locator(".abstract").inner_text()
    assert "proposes" in page.locator("section.paper").inner_text()
    assert page.locator("section.paper a.outside").count() == 0  # its address is javascript:
    move(page, "#/paper/1901.11117")
    assert page.locator("section.paper h2").inner_text() == "The Evolved Transformer"
    assert "\\it" not in page.locator("body").inner_text()


def test_overview_counts_what_the_graph_holds(small_page: Path, small_graph: Graph, visit: Visit) -> None:
    """The figures of the overview are those of the graph, and the matrix has the task and the dataset."""
    page = visit(small_page, "#/overview")
    shown = dict(text.split("\n") for text in page.locator(".tile").all_inner_texts())
    wanted = {name: table.num_rows for name, table in small_graph.nodes.items() if table.num_rows}
    assert {kind: int(number.replace(",", "")) for kind, number in shown.items()} == wanted
    matrix = page.locator("table.matrix")
    assert "machine translation" in matrix.inner_text()
    assert matrix.locator("td.filled").all_inner_texts() == ["3"]


def test_light_dark_and_small_screens(small_page: Path, visit: Visit) -> None:
    """The page follows the system's dark mode, `d` turns it, and at 390 px nothing is wider than the screen."""
    page = visit(small_page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.keyboard.press("d")
    assert page.evaluate(ground) != dark
    small = visit(small_page, viewport={"width": 390, "height": 844})
    for address in ("#/map", "#/node/method%3Atransformer", "#/leaderboards", "#/paper/1706.03762", "#/overview", "#/list"):
        move(small, address)
        assert small.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_roles_for_screen_readers(small_page: Path, visit: Visit) -> None:
    """The search field is a combobox with its list, views are navigation, and every button and field has a name."""
    page = visit(small_page)
    page.fill("#search", "trans")
    assert page.get_by_role("combobox", name="Search names and aliases").get_attribute("aria-expanded") == "true"
    assert page.get_by_role("option").first.get_attribute("aria-selected") == "true"
    assert page.get_by_role("navigation", name="Views").get_by_role("link").count() == 5
    nameless = "fields => fields.filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
    assert page.locator("button, input").evaluate_all(nameless) == []
    assert page.get_by_role("application").get_attribute("aria-label")


def test_hostile_text_is_shown_as_text(visit: Visit, tmp_path: Path) -> None:
    """Script, quotes, javascript: links and 10,000 characters in titles, names and aliases are text; the policy forbids the rest."""
    concept = {"same_as": ["javascript:alert(3)"], "papers": 1, "mentions": 1}
    long = "long " * 2_000
    method = {"id": "method:x", "name": HOSTILE, "aliases": [HOSTILE + " alias"], **concept}
    task = {"id": "task:'\"><b>", "name": long, "aliases": [], **concept}
    paper = {"id": "p/../<b>?#", "title": HOSTILE, "abstract": f"About {HOSTILE}.", "authors": [HOSTILE]}
    paper |= {"url": "javascript:alert(4)", "doi": '"><b>'}
    repository = {"id": "repository:x", "url": "javascript:alert(5)"}
    graph = Graph.from_rows({"Method": [method], "Task": [task], "Paper": [paper], "Repository": [repository]}, {})
    path = tmp_path / "hostile.html"
    write_page(graph, path, title=HOSTILE)
    page = visit(path)
    assert page.title() == HOSTILE
    page.fill("#search", "alias")
    page.locator("#hits [role=option]").first.click()
    page.locator(".panel h2", has_text="alert(1)").wait_for()
    assert page.locator(".panel h2").inner_text() == HOSTILE.replace("{7*7}", "7*7")
    page.fill("#search", "long")
    page.locator("#hits [role=option]").first.click()
    page.wait_for_selector(".panel h2:has-text('all of it')")
    page.get_by_role("button", name="all of it").click()
    assert len(page.locator(".panel h2").inner_text().strip()) >= len(long.strip())
    page.evaluate("location.hash = '#/papers'")
    page.locator("a.board").first.click()
    page.wait_for_selector(".abstract")
    assert "<img src=x" in page.locator(".abstract").inner_text()
    assert page.locator("#app img, #app b, #app script, a[href^=javascript]").count() == 0


def test_the_policy_stops_scripts_that_are_not_ours(browser: Any, small_page: Path) -> None:
    """A script that got into the page all the same would not run, and a fetch would not leave."""
    page = browser.new_page()
    page.goto(small_page.as_uri())
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.intruder = 1'}))")
    assert page.evaluate("window.intruder") is None
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', error => error.name)") == "TypeError"
    page.close()


def test_gold_graph_is_small_and_opens_fast(gold_graph: Graph, visit: Visit, tmp_path: Path) -> None:
    """The page of the annotated seed papers stays under 5 MB, and the page itself needs under 1 s of computing until it can be searched."""
    path = tmp_path / "gold.html"
    write_page(gold_graph, path)
    assert path.stat().st_size < 5_000_000
    page = visit(path, "#/overview")
    page.fill("#search", "graph neural")
    assert "graph neural network" in page.locator("#hits").inner_text().lower()
    client = page.context.new_cdp_session(page)
    # processor time, not the clock: other work on the machine must not decide
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_selector("html[data-ready]")
    used = {metric["name"]: metric["value"] for metric in client.send("Performance.getMetrics")["metrics"]}
    assert used["TaskDuration"] < 1.0
