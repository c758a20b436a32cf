"""Work that runs by itself, as people see it: schedules, jobs that failed, tasks done at once, files brought in."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from saas.base.db import Database
from saas.base.errors import InvalidInput, Said
from saas.duties import HANDLERS
from saas.jobs.tasks import Task
from saas.jobs.worker import Progress, run_due
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_round_trips import asked

SCHEDULE = "task every at weekday monthDay paused timeZone nextRuns changedAt"
JOB = "job { id kind status error dismissedAt dismissal attempts schedule }"


async def refuse(_: Mapping[str, Any], __: Progress) -> None:
    raise InvalidInput("input", value="7", remedy=Said("give less", "请减少"))


async def of(caller: Api, task: str) -> Any:
    found = (await caller.ask(f"{{ schedules {{ {SCHEDULE} }} }}"))["schedules"]
    assert len(found) == len(Task)
    return next(one for one in found if one["task"] == task)


async def test_a_brand_reads_tries_sets_and_pauses_its_schedules(world: World) -> None:
    lotus, cedar = world.lotus, world.cedar
    usual = await of(lotus.auditor, "RELEASE")
    assert (usual["every"], usual["at"], usual["paused"], len(usual["nextRuns"])) == ("DAY", "01:00:00", False, 5)
    assert (await of(lotus.auditor, "CLOSE_SETTLEMENTS"))["paused"]
    wish = {"task": "RELEASE", "every": "MONTH", "at": "06:30:00", "monthDay": 31}
    tried = await lotus.owner.do("setSchedule", f"schedule {{ {SCHEDULE} }}", **wish, dryRun=True)
    assert await of(lotus.owner, "RELEASE") | {"nextRuns": []} == usual | {"nextRuns": []}
    done = await lotus.owner.do("setSchedule", f"schedule {{ {SCHEDULE} }}", **wish)
    assert done["schedule"]["nextRuns"] == tried["schedule"]["nextRuns"]
    assert done["schedule"]["changedAt"] is not None
    stopped = await lotus.owner.do("pauseSchedule", "schedule { paused nextRuns }", task="RELEASE", reason="audit")
    assert stopped["schedule"] == {"paused": True, "nextRuns": []}
    begun = await lotus.owner.do(
        "resumeSchedule", "schedule { paused }", task="CLOSE_SETTLEMENTS", reason="we trust it"
    )
    assert begun["schedule"] == {"paused": False}
    assert (await of(cedar.owner, "RELEASE"))["every"] == "DAY"
    assert (await of(cedar.owner, "CLOSE_SETTLEMENTS"))["paused"]
    wrong = await lotus.owner.attempt("setSchedule", "", task="SWEEP", every="WEEK", at="06:30:00")
    assert [(one["code"], one["field"]) for one in wrong["userErrors"]] == [("INVALID_INPUT", "input.weekday")]
    for caller in (lotus.finance, lotus.operations):
        assert await caller.errors(
            'mutation { pauseSchedule(input: { task: SWEEP, reason: "x" }) { userErrors { code } } }'
        )


async def test_a_job_that_failed_is_counted_told_in_both_languages_retried_and_put_aside(world: World) -> None:
    lotus, cedar = world.lotus, world.cedar
    asked = await lotus.finance.do("startTask", JOB, task="RELEASE", idempotencyKey="once")
    assert asked == await lotus.finance.do("startTask", JOB, task="RELEASE", idempotencyKey="once")
    await run_due({Task.RELEASE: refuse})
    listed = "{ deadJobCount jobs(dead: true) { nodes { id error } } }"
    for language, said in (("en", "give less"), ("zh-CN", "请减少")):
        lotus.auditor.language = language
        found = await lotus.auditor.ask(listed)
        assert found["deadJobCount"] == 1
        assert said in found["jobs"]["nodes"][0]["error"]
    assert (await cedar.owner.ask(listed)) == {"deadJobCount": 0, "jobs": {"nodes": []}}
    job = {"jobId": asked["job"]["id"], "reason": "looked into it"}
    for mutation in ("retryJob", "dismissJob"):
        assert await cedar.owner.refused(mutation, **job) == ["NOT_FOUND"]
    aside = await lotus.finance.do("dismissJob", JOB, **job)
    assert (aside["job"]["status"], aside["job"]["dismissal"]) == ("FAILED", "looked into it")
    assert (await lotus.auditor.ask(listed))["deadJobCount"] == 0
    again = await lotus.operations.do("retryJob", JOB, **job)
    assert (again["job"]["status"], again["job"]["dismissal"]) == ("QUEUED", None)
    await run_due(HANDLERS)
    found = await lotus.auditor.ask("query($id: ID!) { job(id: $id) { status attempts } }", id=job["jobId"])
    assert found["job"] == {"status": "DONE", "attempts": 2}
    assert await lotus.finance.refused("retryJob", **job) == ["WRONG_STATE"]


@pytest.mark.parametrize(("task", "role"), [("ERASE", "finance"), ("SWEEP", "operations"), ("CLOSE_EXITS", "finance")])
async def test_who_may_not_do_it_by_hand_may_not_start_it(world: World, task: str, role: str) -> None:
    caller = getattr(world.lotus, role)
    assert await caller.refused("startTask", task=task, idempotencyKey="k") == ["FORBIDDEN"]
    assert (await world.lotus.owner.ask("{ jobs { nodes { id } } }"))["jobs"]["nodes"] == []


FILE = "file { id units written refused finishedAt job { status } findings { nodes { row column code message } } csv }"


async def test_a_page_of_files_asks_for_their_jobs_once(world: World, db: Database) -> None:
    owner = world.lotus.owner
    content = b64encode(b"seller,sku,quantity\nA,B,1\n").decode()
    counts = []
    for key in ("first", "second", "third"):
        await owner.do("importFile", "file { id }", kind="ORDERS", name=key, content=content, idempotencyKey=key)
        counts.append(await asked(db, owner, "{ importFiles { nodes { job { status } } } }"))
    assert len(set(counts)) == 1, counts


async def test_a_file_is_brought_in_and_its_findings_are_told_in_the_callers_language(world: World) -> None:
    lotus, cedar = world.lotus, world.cedar
    await lotus.put_products("CREAM")
    await lotus.enrol("A")
    template = (await lotus.operations.ask("{ importTemplate(kind: ORDERS) { content columns { title required } } }"))[
        "importTemplate"
    ]
    head = template["content"].splitlines()[0].lstrip("\ufeff")
    assert head.split(",") == [column["title"] for column in template["columns"]]
    rows = f"{head}\nN-1,A,CREAM,1,,100.00\nN-2,A,=HYPERLINK(1),1,,100.00\n"
    given = {"kind": "ORDERS", "name": "march.csv", "content": b64encode(rows.encode()).decode(), "idempotencyKey": "f"}
    taken = await lotus.operations.do("importFile", FILE, **given)
    assert (taken["file"]["units"], taken["file"]["job"]["status"]) == (2, "QUEUED")
    await run_due(HANDLERS)
    done = (await lotus.operations.do("importFile", FILE, **given))["file"]
    assert (done["id"], done["written"], done["refused"]) == (taken["file"]["id"], 1, 1)
    (finding,) = done["findings"]["nodes"]
    assert (finding["row"], finding["column"], finding["code"]) == (3, "SKU", "UNKNOWN_PRODUCT")
    lotus.operations.language = "zh-CN"
    told = (await lotus.operations.do("importFile", FILE, **given))["file"]
    assert told["findings"]["nodes"][0]["column"] == "商品编码"
    assert told["csv"].startswith("行,列,代码,说明")
    orders = (await lotus.owner.ask("{ orders { nodes { number } } }"))["orders"]["nodes"]
    assert orders == [{"number": "N-1"}]
    query = "query($id: ID!) { importFile(id: $id) { name } }"
    assert await cedar.owner.errors(query, id=done["id"]) == ["NOT_FOUND"]
    assert (await cedar.owner.ask("{ importFiles { nodes { id } } }"))["importFiles"]["nodes"] == []
    assert (await cedar.owner.ask("{ orders { nodes { number } } }"))["orders"]["nodes"] == []
    for content, code in (
        ("no base64!", "IMPORT_FILE_UNREADABLE"),
        (b64encode(b"a,b\n1,2").decode(), "IMPORT_COLUMNS_WRONG"),
    ):
        refused = {**given, "content": content, "idempotencyKey": "g"}
        assert await lotus.operations.refused("importFile", **refused) == [code]
    assert await lotus.operations.refused("importFile", **given | {"historical": True}) == ["FORBIDDEN"]
