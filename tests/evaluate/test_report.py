from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path

from PIL import Image
from rich.console import Console
from tests.evaluate import many
from tests.evaluate.toy import N_ITEMS, SPLIT, cases, dataset, falling, rising

from trifocal.evaluate.comparison import Comparison, compare, evaluate_all
from trifocal.evaluate.config import EvaluateConfig
from trifocal.evaluate.pictures import SampleUser, sample_users
from trifocal.evaluate.plots import latency_plot, metric_plot
from trifocal.evaluate.protocol import Result
from trifocal.evaluate.report import report_json, report_table, verdict
from trifocal.evaluate.report_page import report_html, write_report
from trifocal.evaluate.satisfaction import HitSatisfaction
from trifocal.evaluate.significance import Interval
from trifocal.report.learning_curve import LearningCurve

CONFIG = EvaluateConfig(bootstrap_samples=200, latency_requests=10)


def results() -> list[Result]:
    return evaluate_all([rising(), falling()], cases(), CONFIG, {"rising": 1.5})


def comparison(given: list[Result] | None = None) -> Comparison:
    found = results() if given is None else given
    return compare(found, cases(), dataset="toy", split=SPLIT, part="test", candidates=N_ITEMS, config=CONFIG)


def samples(folder: Path) -> list[SampleUser]:
    Image.new("RGB", (300, 200), "red").save(folder / "red.jpg")
    return sample_users(cases(), results(), dataset(folder), size=10, seed=0)


def test_json_has_the_figures_and_the_split() -> None:
    found = json.loads(json.dumps(report_json(comparison())))
    assert found["split"] == "toy"
    assert found["fingerprint"] == SPLIT.fingerprint
    assert found["users"] == 4
    row = found["models"]["rising"]
    assert row["recall@20"] == 0.875
    assert row["train_seconds"] == 1.5
    assert {"ndcg@10", "map@20", "latency_ms"} <= set(row)
    low, high = row["intervals"]["recall@20"]
    assert low <= 0.875 <= high


def test_the_table_shows_every_model() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(report_table(comparison()))
    text = console.export_text()
    assert re.search(r"rising.*0\.8750 ±0\.\d{4}.*80\.0%", text)
    assert "falling" in text
    assert "leaky split" in text
    assert "full ranking of 25 items" in text


def test_the_verdict_says_above_below_or_not_told_apart() -> None:
    # Users 0 to 2 gain 1, user 3 nothing; with 200 resamples of four users the interval of .75 leaves 0 out.
    assert verdict(comparison()).startswith(
        "rising is above falling, the strongest of the others: Recall@20 0.8750 against 0.1250 (+600.0 %"
    )
    assert " is below " in verdict(comparison(results()[::-1]))
    same = [results()[0], replace(results()[0], name="twin")]
    assert "rising cannot be told apart from twin" in verdict(comparison(same))
    assert verdict(comparison(results()[:1])) == "rising reaches Recall@20 0.8750 on 4 users."


def test_sample_users_show_what_they_had_took_and_were_proposed(tmp_path: Path) -> None:
    found = samples(tmp_path)
    # u0 has no history, so only the three others can be drawn.
    assert {user.user_id for user in found} == {"u1", "u2", "u3"}
    third = next(user for user in found if user.user_id == "u3")
    assert [item.title for item in third.had] == ["<b>thing 24"] * 6
    assert [item.title for item in third.took] == ["<b>thing 3", "<b>thing 20"]
    assert [item.hit for item in third.proposed["rising"]] == [False, False, False, True, False, False]
    red, lost, untitled = third.proposed["rising"][:3]
    assert red.picture is not None
    with Image.open(io.BytesIO(base64.b64decode(red.picture.split(",", 1)[1]))) as picture:
        assert picture.size == (96, 64)
    assert lost.picture is None
    assert untitled.title == "i2"


def test_the_same_seed_draws_the_same_users(tmp_path: Path) -> None:
    first, again = samples(tmp_path), samples(tmp_path)
    assert [u.user_id for u in first] == [u.user_id for u in again]
    assert len(sample_users(cases(), results(), dataset(tmp_path), size=2, seed=1)) == 2


def test_the_page_stands_alone_and_escapes(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "report.html"
    write_report(target, comparison(), samples(tmp_path))
    page = target.read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "0.8750" in page
    assert SPLIT.fingerprint in page
    assert "This split is leaky" in page
    assert page.count('class="item hit"') == 4
    assert "<b>thing" not in page
    assert "&lt;b&gt;thing" in page
    # Nothing from outside: every source is inline, no style sheet, no script.
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page)
    assert "<script" not in page
    assert "url(http" not in page


def test_a_single_model_without_latency_has_a_page() -> None:
    page = report_html(comparison([replace(results()[0], latency=None, train_seconds=None)]))
    assert "against each other model" not in page
    assert page.count("<svg") == 3


def test_plots_take_the_colours_of_the_page_and_escape_names() -> None:
    given = [replace(results()[0], name="a<b>"), results()[1]]
    found = comparison(given)
    latency = latency_plot(found, "recall@20")
    assert latency is not None
    for plot in (metric_plot(found, "recall@20").svg, latency.svg):
        assert "var(--accent)" in plot
        assert not re.search(r"#0([1-9])0\1", plot)
        assert "a&lt;b&gt;" in plot
        assert "<b>" not in plot
    assert metric_plot(found, "recall@20") == metric_plot(found, "recall@20")


def test_without_latency_there_is_no_latency_plot() -> None:
    assert latency_plot(comparison([replace(r, latency=None) for r in results()]), "recall@20") is None


def test_a_row_without_items_says_so() -> None:
    page = report_html(comparison(), [SampleUser("u", [], [], {"rising": []})])
    assert page.count(">nothing<") == 3


def test_the_verdict_counts_the_models_that_differ_after_holm(tmp_path: Path) -> None:
    given = many.comparison(tmp_path)
    gaps = given.differences["recall@20"]
    for name in gaps:
        gaps[name] = replace(gaps[name], corrected=0.01)
    gaps["als"] = replace(gaps["als"], mean=-0.1)
    gaps["ease"] = gaps["slim"] = replace(gaps["slim"], corrected=0.05)
    assert verdict(given).endswith(
        "After Holm (p < .05) it is above 12, below 1, not told apart from 2 of the 15 others."
    )


def test_the_page_of_sixteen_models_has_all_of_it(tmp_path: Path) -> None:
    page = report_html(many.comparison(tmp_path), many.samples(tmp_path, size=2))
    assert all(f'<th scope="row">{name}</th>' in page for name in many.NAMES)
    assert "16, 2 failed" in page
    assert "no wheel of ray" in page
    assert "Text diversity</th>" in page
    assert "Picture diversity</th>" not in page
    assert "ml1m takes published settings." in page
    assert "the spread between trainings" in page
    assert re.search(r"2 \(±0\.\d{4}\)", page)
    for title in ("Events before", "Known before?", "Training users of the target", "Target&#39;s category"):
        assert title in page
    assert re.search(r"warm user, cold item<small>n = \d+</small>", page)
    assert re.search(r"to [+-]0\.\d{4}, p = \.\d{3}</small>", page)
    assert "<code>learning_rate = 0.01</code>" in page
    # Parameters, megabytes, version and tuning of item-kNN; popularity has none.
    assert "<td>74,070</td><td>1.8</td><td>1.5.0</td><td>20 trials, 75 s</td>" in page
    assert "<td>–</td><td>–</td><td>–</td><td>–</td></tr>" in page
    # Four models open, the others unfold, for each user.
    assert page.count("<summary>12 more models</summary>") == 2


def test_what_was_not_measured_has_no_column() -> None:
    page = report_html(comparison())
    assert "diversity</th>" not in page
    assert "Novelty, bits" not in page
    assert "Parameters</th>" not in page
    assert "Tuning</th>" not in page
    assert "could not be compared" not in page
    assert "Satisfaction of" not in page


def test_satisfaction_has_its_table() -> None:
    hit = HitSatisfaction("rising", Interval(0.5, 0.4, 0.6), 3, 4, 2)
    page = report_html(replace(comparison(), satisfaction=(hit, HitSatisfaction("falling", None, 0, 4, 2))))
    assert "0.5000<small>0.4000 – 0.6000</small></td><td>3</td><td>75.0\u00a0%</td>" in page
    assert "<td>–</td><td>0</td><td>0.0\u00a0%</td>" in page


def test_how_the_models_learned_has_a_plot_each() -> None:
    rows = ({"epoch": 1, "softmax": 4.0, "ndcg@10": 0.1}, {"epoch": 2, "softmax": 3.0, "ndcg@10": 0.2})
    curves = [LearningCurve(name, rows, "ndcg@10", 2) for name in ("rising", "<b>")]
    page = report_html(comparison(), curves=curves)
    assert ">How they learned</h2>" in page
    assert page.count(">Learning curve of ") == 4
    assert "<b>" not in page
    assert "learned</h2>" not in report_html(comparison())
