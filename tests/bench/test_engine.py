"""The rows of the core run, both sides pay the same, and no component is left out of "everything"."""

from bench import by_hand
from bench.engine import EVERYTHING, all_components, engine, ours, three_levels
from bench.figures import TINY
from saas.commissions.rules import Reason, commission_for_line
from tenants.program import errors_in, parse, validate
from tenants.program.document import Program


def test_the_rows_of_the_core_run() -> None:
    figures = engine(TINY)
    assert [figure.name for figure in figures] == ["engine_lines", "engine_lines_all"]
    assert all(figure.ours > 0 and figure.ceiling > 0 for figure in figures)


def test_by_hand_pays_what_the_product_pays() -> None:
    for work, hand in ((three_levels(500), by_hand.three_levels), (all_components(3000), by_hand.everything)):
        assert ours(work) == hand(work.lines)


def test_everything_means_every_line_component_with_all_that_may_happen() -> None:
    work = all_components(3000)
    found = [commission_for_line(work.program, *line) for line in work.lines]
    components = {share.component for result in found for share in result.shares}
    assert {"levels", "tea", "volume", "gap", "gap/same_tier", "levels/lead", "volume/lead"} <= components
    reasons = {share.reason for result in found for share in result.shares}
    assert {Reason.CAPPED, Reason.NOT_QUALIFIED, Reason.SUSPENDED, Reason.LEAD_SHARED, Reason.NO_DIFFERENCE} <= reasons
    program = parse(EVERYTHING)
    assert isinstance(program, Program)
    assert {finding.code for finding in errors_in(validate(program))} == {"COMPLIANCE"}, "more levels than CN allows"
