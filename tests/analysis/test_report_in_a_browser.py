"""The page of a report in headless Chromium: it renders, it computes its numbers again, its buttons work."""

from pathlib import Path

import pytest

from chromium import find_chromium, look
from hpoctl.analysis.report import report_page
from hpoctl.analysis.report_model import report_model
from report_cases import HOSTILE, hostile_data, uneven_data

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="there is no Chromium (Debian: apt-get install chromium)"
)

CHECKED = """
    const root = document.documentElement;
    while (!root.dataset.checked) await new Promise((go) => setTimeout(go, 20));
"""

USE = f"""{CHECKED}
    const all = (query) => [...document.querySelectorAll(query)];
    const first = (query) => document.querySelector(query);
    const lines = () => all("#b0 .curves .line").length;
    const press = (target, key) => target.dispatchEvent(new KeyboardEvent("keydown", {{ key, bubbles: true }}));
    const found = {{ checked: root.dataset.checked, badge: first("#check").textContent }};
    [found.again, found.title] = [Number(root.dataset.recomputed), document.title];
    found.pictures = all(".plot svg").length;
    found.figures = all(".chart").length;
    found.overflow = root.scrollWidth - innerWidth;
    found.fetched = performance.getEntriesByType("resource").length;

    found.lines = [lines()];
    first("#b0 .toggle.method").focus();
    first("#b0 .toggle.method").click();
    found.lines.push(lines());
    found.pressed = first("#b0 .toggle.method").getAttribute("aria-pressed");
    found.kept = document.activeElement === first("#b0 .toggle.method");
    found.rows = all("#b0 .strip .centre").length;
    all("#b0 .group")[1].click();
    found.lines.push(lines());
    all("#b0 .group")[0].click();
    found.lines.push(lines());

    const [bands, log, seeds] = [0, 1, 2].map((place) => () => all("#b0 .toggle.option")[place]);
    found.bands = [all("#b0 .band").length];
    bands().click();
    found.bands.push(all("#b0 .band").length);
    found.log = [log().getAttribute("aria-pressed"), first("#b0 .curves .line").getAttribute("d")];
    log().click();
    found.log.push(log().getAttribute("aria-pressed"), first("#b0 .curves .line").getAttribute("d"));
    found.seeds = [all("#b0 .seed").length];
    seeds().click();
    found.seeds.push(all("#b0 .seed").length);

    const rungs = first("#b0 .curves select");
    rungs.value = "3";
    rungs.dispatchEvent(new Event("change"));
    found.rungs = all("#b0 .rung").length;

    const curves = () => first("#b0 .curves svg");
    const readout = () => first("#b0 .curves .readout").textContent;
    found.said = [readout()];
    press(curves(), "Home");
    found.said.push(readout());
    press(curves(), "ArrowRight");
    found.said.push(readout());
    const box = curves().getBoundingClientRect();
    const place = {{ clientX: box.left + box.width / 2, clientY: box.top + 50 }};
    curves().dispatchEvent(new PointerEvent("pointermove", place));
    found.said.push(readout());

    press(first("#b0 .strip svg"), "ArrowRight");
    found.strip = [first("#b0 .strip .readout").textContent, all("#b0 .strip .chosen").length];
    const pair = () => all("#b0 .pair select");
    found.pair = [first("#b0 .pair .readout").textContent];
    pair()[1].value = pair()[0].value;
    pair()[1].dispatchEvent(new Event("change"));
    found.pair.push(first("#b0 .pair .readout").textContent);

    const page = () => getComputedStyle(document.body).backgroundColor;
    found.theme = [page()];
    first("#theme").click();
    found.theme.push(page());

    const shown = first("#summary [data-n]");
    shown.textContent = "9";
    delete root.dataset.checked;
    const [data, model] = [part("data"), part("model")];
    checkNumbers(data, model, data.benchmarks.map((_, place) => benchmarkOf(data, model, place)));
    found.sabotaged = [first("#check").textContent, first("#check").className, shown.classList.contains("wrong")];
    return found;
"""


def test_the_page_with_hostile_names_works(tmp_path: Path) -> None:
    data = hostile_data()
    page = report_page(data, report_model(data))
    seen = look(page, USE, tmp_path)
    found, count = seen.found, page.count(" data-n=")
    assert "error" not in found, found
    assert seen.console == []
    assert found["checked"] == f"{count}/{count}"
    again = found["again"]
    assert found["badge"] == f"{count:,} of {count:,} numbers as computed, {again:,} of them recomputed here"
    # Medians, means, counts, differences, run times and costs; not p values, intervals, ranks and ratings.
    assert 0.35 * count < again < count
    assert (found["title"], found["fetched"]) == ("Report: tag", 0)
    assert found["pictures"] == found["figures"] == 9
    assert found["overflow"] <= 0
    assert found["lines"] == [4, 3, 2, 4]
    assert (found["pressed"], found["kept"], found["rows"]) == ("false", True, 3)
    assert found["bands"] == [4, 0]
    assert (found["log"][0], found["log"][2]) == ("true", "false")
    assert found["log"][1] != found["log"][3]
    assert found["seeds"] == [0, 32]
    assert found["rungs"] == 2
    end, start, step, middle = found["said"]
    assert end.startswith("at 100 s (100 % of the budget)")
    assert "trials at rungs 1: 33.5, 3: 11" in end
    assert all(name in end for name in HOSTILE)
    assert start.startswith("at 0.5 s")  # the first of the times
    assert step.startswith("at 1 s")
    assert middle.startswith("at 4")  # the axis is left of the middle of the picture
    assert found["strip"][0].startswith("seed 0")
    assert found["strip"][1] == 4
    assert found["pair"][0].startswith("ratio ")
    assert found["pair"][1] == "Choose two different methods."
    assert found["theme"][0] != found["theme"][1]
    text, badge, wrong = found["sabotaged"]
    assert text.startswith(f"{count - 1:,} of {count:,} numbers as computed, ")
    assert (badge, wrong) == ("check failed", True)


def test_uneven_results_on_a_phone(tmp_path: Path) -> None:
    data = uneven_data()
    page = report_page(data, report_model(data))
    script = f"""{CHECKED}
        const wrong = [...document.querySelectorAll(".wrong")].map(({{ dataset, title }}) => [dataset.n, title]);
        const pictures = document.querySelectorAll(".plot svg").length;
        return {{ checked: root.dataset.checked, wrong, pictures, widths: [root.scrollWidth, innerWidth] }};
    """
    seen = look(page, script, tmp_path, width=390)
    count = page.count(" data-n=")
    assert seen.console == []
    assert seen.found["wrong"] == []
    assert seen.found["checked"] == f"{count}/{count}"
    assert seen.found["widths"][0] <= seen.found["widths"][1] < 520
    assert seen.found["pictures"] == 9
