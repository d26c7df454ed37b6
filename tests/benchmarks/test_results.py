"""The arithmetic of the speed comparison's tables."""

import pytest

from benchmarks.measuring.plot import draw_growth, draw_speed
from benchmarks.measuring.report import growth_rows, speed_rows
from benchmarks.measuring.results import Results, Run, busy_share, per_thousand, ratios, spread
from benchmarks.measuring.systems import OUR_CNN, STOCK, SWITCHED


def make_run(system, number, wall, **values) -> Run:
    defaults = {"section": "predict", "corpus": "c", "workload": "w", "setting": ""}
    settings = {**defaults, "words": 1000, "cpu": wall, **values}
    return Run(system=system.name, round=number, wall=wall, **settings)


def three_systems(**values) -> list[Run]:
    return [
        make_run(system, number, wall, **values)
        for system, walls in (
            (STOCK, (1.0, 2.0, 4.0)),
            (SWITCHED, (0.5, 1.0, 2.0)),
            (OUR_CNN, (0.25, 0.25, 1.0)),
        )
        for number, wall in enumerate(walls)
    ]


def test_spread_is_the_median_and_the_ends():
    found = spread([3.0, 1.0, 2.0, 10.0, 2.5])
    assert (found.median, found.low, found.high) == (2.5, 1.0, 10.0)


def test_ratios_are_taken_within_rounds():
    runs = three_systems()
    ours = [run for run in runs if run.system == OUR_CNN.name]
    stock = [run for run in runs if run.system == STOCK.name]
    found = ratios(list(reversed(ours)), stock)
    assert (found.median, found.low, found.high) == (4.0, 4.0, 8.0)


def test_ratio_without_a_common_round_is_an_error():
    with pytest.raises(ValueError, match="same round"):
        ratios([make_run(OUR_CNN, 0, 1.0)], [make_run(STOCK, 1, 1.0)])


def test_table_has_ratios_to_both_stock_rows_in_the_order_of_systems():
    rows = speed_rows(list(reversed(three_systems())))
    assert [row[0] for row in rows] == [STOCK.name, SWITCHED.name, OUR_CNN.name]
    assert rows[2][1:] == ("4,000", "4.00 (4.00-8.00)", "2.00 (2.00-4.00)", "4.00 / 2.00")


def test_ratio_in_processor_time_is_not_that_of_the_wall_clock():
    runs = [make_run(STOCK, 0, 8.0, cpu=2.0), make_run(OUR_CNN, 0, 1.0, cpu=1.0)]
    assert speed_rows(runs)[1][4] == "2.00 / -"


def test_growth_table_has_a_column_for_each_setting():
    runs = [*three_systems(setting="20"), make_run(STOCK, 0, 0.1, setting="100")]
    header, rows = growth_rows(runs)
    assert header == ("system", "20", "100")
    assert rows[0] == (STOCK.name, "500", "10,000")
    assert rows[2] == (OUR_CNN.name, "4,000", "-")


def test_runs_that_waited_are_counted():
    runs = [make_run(STOCK, 0, 1.0), make_run(STOCK, 1, 1.0, cpu=0.5)]
    assert busy_share(runs) == 0.5


def test_annotation_is_counted_per_thousand_words():
    runs = [make_run(STOCK, n, 1.0, words=500, found={"entities": n}) for n in (1, 2)]
    assert per_thousand(runs, "entities") == 3.0


def test_results_read_back_are_the_same(tmp_path):
    results = Results(machine={"cores": 2}, runs=three_systems(), fresh=[{"system": "x"}])
    results.to_disk(tmp_path / "new" / "speed.json")
    assert Results.from_disk(tmp_path / "new" / "speed.json") == results


def test_pictures_are_drawn_from_results(tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs the extra spacy-mtl[report]")
    machine = {"processor": "CPU", "versions": {"spacy": "3.8"}}
    results = Results(machine=machine, settings={"threads": 1}, corpora={"c": {}})
    assert not draw_speed(results, tmp_path / "speed.png")
    results.runs = three_systems(workload="trunk, tokenized")
    for length in ("20", "200"):
        values = {"section": "length", "workload": "three heads, tokenized", "setting": length}
        results.runs += three_systems(**values)
    assert draw_speed(results, tmp_path / "speed.png")
    assert draw_growth(results, tmp_path / "growth.png")
    assert (tmp_path / "speed.png").stat().st_size and (tmp_path / "growth.png").stat().st_size
